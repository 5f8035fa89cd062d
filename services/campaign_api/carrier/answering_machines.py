"""What is done when the carrier says that a machine has taken a call: hang up, or leave a message once at most."""

from shared.domain.outcome import Outcome
from shared.domain.voicemail import VoicemailAction
from shared.errors import OutcomeUnknown, TemporaryError
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing.answering_machines import forget_machine, handling_of, no_message, note_machine
from shared.telephony.provider import MachineDetected, TelephonyProvider

log = get_logger()


async def on_machine(store: Store, provider: TelephonyProvider, machine: MachineDetected) -> None:
    """Do with the call what its claim has frozen; nothing where the contact is not on it any more.

    Safe to repeat. Raises `TemporaryError` when nothing was done because the store or the carrier is away: have the
    carrier say it again. Should it not, the call goes on as it would without this, and ends within its own limits.
    """
    voicemail = await handling_of(store, machine.organization_id, machine.contact_id, machine.attempt_id)
    if voicemail is None or not voicemail.detect:
        return
    organization_id, attempt_id, outcome = machine.organization_id, machine.attempt_id, machine.outcome
    if voicemail.action is VoicemailAction.HANG_UP or outcome is not Outcome.VOICEMAIL:
        # No message is for a fax.
        await note_machine(store, organization_id, attempt_id, outcome, message=False)
        await provider.hang_up(machine.call_id)
        return
    if not machine.greeting_over:
        return
    # First the note, then the words: whoever dies in between leaves no message, and never a second one.
    if not await note_machine(store, organization_id, attempt_id, outcome, message=True):
        return
    try:
        speaks = await provider.leave_message(machine.call_id, voicemail)
    except OutcomeUnknown as error:
        log.warning("message may have been left", attempt_id=attempt_id, why=str(error))
        return
    except TemporaryError:
        await forget_machine(store, attempt_id)
        raise
    if not speaks:
        await no_message(store, attempt_id)
