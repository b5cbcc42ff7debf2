#!/usr/bin/env bash
# guest.sh VNG KERNEL PYTHON FOLDER: boots the kernel in an emulated machine that shares the host's
# file system read-only, and runs guest_checks.py there with the modules in the folder; prints KTAP.
set -euo pipefail
vng=$1 kernel=$2 python=$3 folder=$4
here=$(cd "$(dirname "$0")" && pwd)

# vng looks for its parts on the PATH. The machine is pinned, so that a new QEMU changes nothing;
# without hardware virtualization, which CI machines rarely have.
export PATH=$(dirname "$vng"):$PATH
exec timeout --kill-after 5 "${KMOD_TIMEOUT:-600}" "$vng" --run "$kernel" --disable-kvm --disable-microvm \
  --cpus "${KMOD_CPUS:-2}" --memory 1G --qemu-opts='-machine pc-q35-7.2' \
  --exec "PYTHONDONTWRITEBYTECODE=1 $python $here/guest_checks.py $folder" </dev/null
