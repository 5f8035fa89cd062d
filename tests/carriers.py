"""One carrier for all calls, as those who place and look up calls expect theirs."""

from shared.carriers import Carriers
from shared.settings import MongoSettings, TelephonySettings
from shared.store.client import Store, connect
from shared.stored_secrets import SecretCipher
from shared.telephony.provider import TelephonyProvider


def through(provider: TelephonyProvider, store: Store | None = None) -> Carriers:
    """The operator's account alone; without a store no other can be looked for."""
    nowhere = MongoSettings(mongodb="mongodb://127.0.0.1:9/?directConnection=true")
    return Carriers(store or connect(nowhere), TelephonySettings(), SecretCipher(None), provider)
