#!/usr/bin/env bash
# All that there is to say about this machine's GPU, in calls of at most 8 minutes:
#
#   gpu_report.sh [OUTPUT_DIR]          [default: examples/results/<GPU>-<CPU>/]
#
# Builds for this GPU alone and measures the most valuable first; then the tests that need a GPU, and
# these under compute-sanitizer. Each outcome is in OUTPUT_DIR as soon as it is known; summary.txt says
# what is missing. Another call goes on from there, also after kill -9. The build is kept in
# build/gpu-report until nothing is missing. No network is used and no setting of the device is
# changed; keep other work off the machine. A closed terminal does not end it, Ctrl-C does.
#
# Exit code: 0 all is done and passed; 1 something failed or is missing yet; 2 wrong usage; 3 something
# is not there, and nothing was done.
#
# Environment: PYTHON (python3), WHEELS (a folder of wheels for what is not installed; wheels/),
# CUDAARCHS (this GPU's), BUDGET_S (480).
set -euo pipefail
set -m  # every step is a process group of its own, so that it can be ended as a whole

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: ${0##*/} [OUTPUT_DIR]" >&2
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
wheels=${WHEELS:-$root/wheels}
if [[ $python == [!/]*/* ]]; then python=$PWD/$python; fi
if [[ $wheels != /* ]]; then wheels=$PWD/$wheels; fi
budget=${BUDGET_S:-480}
kept=$root/build/gpu-report  # the build, for the next call
site=$kept/site
scratch=
child=

finish() {
  if [[ -n $child ]]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  if [[ -n $scratch ]]; then rm -rf "$scratch" "$kept/scratch"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap '' HUP PIPE  # the terminal may go, the report is in files

# To the terminal, if there still is one.
show() {
  printf '%s\n' "$*" 2>/dev/null || true
}

# Of two calls at once neither would measure anything. What kill -9 left of an earlier one ends soon.
mkdir -p "$site" "$kept/brought"
exec 9>"$kept/lock"
if command -v flock >/dev/null && ! flock -w 30 9; then
  echo "another call is measuring; wait for its end" >&2
  exit 3
fi
if [[ -s $kept/scratch && $(<"$kept/scratch") == */gpu-report.?????? ]]; then rm -rf "$(<"$kept/scratch")"; fi
scratch=$(mktemp -d -t gpu-report.XXXXXX)
echo "$scratch" >"$kept/scratch"

# Nothing is written beside the sources, nor into the home directory.
export PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 PYTHONUNBUFFERED=1
export PYTHONPATH=$site${PYTHONPATH:+:$PYTHONPATH}
export HYPOTHESIS_STORAGE_DIRECTORY=$scratch/hypothesis TMPDIR=$scratch/tmp
export XDG_CACHE_HOME=$scratch/cache XDG_CONFIG_HOME=$scratch/config
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
mkdir -p "$scratch/tmp"

# ---- What must be there -------------------------------------------------------------------------

missing=()
wanted=()  # wheels that would help

can_import() {
  "$python" -c "import $1" >/dev/null 2>&1
}

# use FOLDER: what was installed there
use() {
  export PYTHONPATH=$PYTHONPATH:$1 PATH=$1/bin:$PATH
}

# bring PACKAGE: from the wheels, if they have it. Each has a folder of its own: pip replaces a bin/.
bring() {
  if [[ ! -d $kept/brought/$1 ]]; then
    rm -rf "$kept/bringing"
    [[ -d $wheels ]] && "$python" -m pip install --quiet --no-index --find-links "$wheels" \
      --target "$kept/bringing" "$1" >>"$scratch/wheels.log" 2>&1 || return 1
    mv "$kept/bringing" "$kept/brought/$1"
  fi
  use "$kept/brought/$1"
}

# has_package MODULE PACKAGE
has_package() {
  can_import "$1" || { bring "$2" && can_import "$1"; }
}

# has_tool NAME: on the PATH, or as a wheel
has_tool() {
  command -v "$1" >/dev/null || { bring "$1" && command -v "$1" >/dev/null; }
}

# ask_gpus PROPERTY: of each; nothing where nvidia-smi fails, whose complaints go to stdout
ask_gpus() {
  local answer
  answer=$(nvidia-smi "--query-gpu=$1" --format=csv,noheader 2>/dev/null) && echo "$answer"
}

# ask_gpu PROPERTY: of the first
ask_gpu() {
  ask_gpus "$1" | head -n 1
}

gpu=$(ask_gpu name || true)
if ! command -v nvidia-smi >/dev/null; then
  missing+=("a GPU: nvidia-smi, which comes with NVIDIA's driver, is not on the PATH")
elif [[ -z $gpu ]]; then
  missing+=("a GPU: nvidia-smi lists none")
fi
if ! command -v "${CUDACXX:-nvcc}" >/dev/null; then
  missing+=("a CUDA compiler: ${CUDACXX:-nvcc} is not on the PATH; with the toolkit installed, add its bin folder")
fi
for tool in "${CXX:-c++}" timeout; do
  command -v "$tool" >/dev/null || missing+=("$tool: it is not on the PATH")
done
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
  missing+=("Python 3.10 or later: $python is none; set PYTHON")
else
  headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  if [[ ! -e $headers/Python.h ]]; then
    missing+=("Python's headers: $headers has no Python.h; install python3-dev, or set PYTHON")
  fi
  # A wheel of pip runs as it is.
  if ! can_import pip; then
    for wheel in "$wheels"/pip-*.whl; do export PYTHONPATH=$PYTHONPATH:$wheel; done
  fi
  for pair in pip:pip numpy:numpy msgspec:msgspec rich:rich click:click pynvml:nvidia-ml-py \
    pybind11:pybind11 scikit_build_core:scikit-build-core; do
    has_package "${pair%:*}" "${pair#*:}" || wanted+=("${pair#*:}")
  done
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || has_package tomli tomli || wanted+=(tomli)
  has_tool cmake || wanted+=(cmake)
  has_tool ninja || command -v make >/dev/null || wanted+=(ninja)
fi
# Without these the measurements are done, and the tests are not.
untested=
for name in pytest hypothesis; do
  has_package "$name" "$name" || untested="$untested $name"
done

advice() {
  local version
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  printf '%s\n' "Python packages: $*. Where there is a network, run
    pip download -d wheels --only-binary :all: --python-version $version $*
  and call this script with WHEELS=wheels."
}

if [[ ${#wanted[@]} -gt 0 ]]; then
  missing+=("$(advice "${wanted[@]}" $untested)")
  if [[ -s $scratch/wheels.log ]]; then
    missing+=("what pip said of WHEELS=$wheels: $(tail -n 3 "$scratch/wheels.log")")
  fi
fi
if [[ ${#missing[@]} -gt 0 ]]; then
  echo "missing:" >&2
  printf -- '- %s\n' "${missing[@]}" >&2
  exit 3
fi

# What "native" says to CMake, of which only later versions know that word.
if [[ -z ${CUDAARCHS:-} ]]; then
  CUDAARCHS=$(ask_gpu compute_cap | tr -d . || true)
fi
export CUDAARCHS=${CUDAARCHS:-native}

# ---- Where results go ---------------------------------------------------------------------------

# The words of a name in lower case, with hyphens.
slug() {
  sed -E 's/\((r|tm)\)//gI; s/[^[:alnum:]]+/-/g; s/^-|-$//g' | tr '[:upper:]' '[:lower:]'
}

cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
cpu=${cpu:-$(uname -m)}
if [[ $# -eq 1 ]]; then
  output=$1
else
  output=$root/examples/results/$(slug <<<"$gpu")-$(slug <<<"$cpu" | cut -d- -f1,2)-$(nproc)-vcpu
fi
mkdir -p "$output/steps"
output=$(cd "$output" && pwd)
verdicts=$output/steps  # of each step that is done, what the summary says of it

# Results of two sources or two devices are never mixed.
source_id=$(cd "$root" && { find CMakeLists.txt pyproject.toml cpp cuda src tests -type f \
  \( -name '*.[ch]pp' -o -name '*.cu*' -o -name '*.py' -o -name '*.h' -o -name '*.txt' -o -name '*.toml' \) \
  -print0 2>/dev/null || true; } | sort -z | xargs -0 sha256sum | sha256sum | cut -c -12)
identity="$gpu, driver $(ask_gpu driver_version || true), source $source_id"
if [[ -e $verdicts/identity && $(<"$verdicts/identity") != "$identity" ]]; then
  echo "$output has results of $(<"$verdicts/identity"); this is $identity: give another folder" >&2
  exit 2
fi
echo "$identity" >"$verdicts/identity"
if [[ -e $verdicts/complete ]]; then
  show "$(<"$output/summary.txt")"
  exit 0
fi

# ---- Steps --------------------------------------------------------------------------------------

grace=5    # seconds to save what was measured
until=15   # when the step at hand must have ended: until here the above
names=()

# step NAME SECONDS COMMAND...: has that many seconds, and those that the steps before it left over.
# The log is NAME.log; what is done is not done again.
step() {
  local name=$1 code=0 verdict left
  names+=("$name")
  until=$((until + $2))
  shift 2
  if [[ -e $verdicts/$name ]]; then
    return
  fi
  left=$(((until < budget ? until : budget) - SECONDS - grace))
  if ((left < 3)); then
    return
  fi
  local begin=$SECONDS orphan=()
  # After kill -9 of this script too, a step ends and saves what it has.
  if command -v setpriv >/dev/null; then orphan=(setpriv --pdeathsig INT); fi
  "${orphan[@]}" timeout --signal=INT --kill-after="$grace" "$left" "$@" \
    >"$output/$name.log" 2>&1 </dev/null &
  child=$!
  wait "$child" 2>/dev/null || code=$?
  child=
  case $code in
    0) verdict="passed, $((SECONDS - begin)) s" ;;
    124 | 137) verdict="out of time after $((SECONDS - begin)) s" ;;
    *) verdict="FAILED with exit code $code, $((SECONDS - begin)) s" ;;
  esac
  # Under another name what is not done: it is done again.
  rm -f "$verdicts/$name.not"
  echo "$verdict" >"$verdicts/$name$([[ $code -eq 0 ]] || echo .not)"
  show "$(printf '%-24s %s' "$name" "$verdict")"
  # A table is all that a run prints besides its progress.
  if [[ $name != build && $name != *check && $name != tests ]]; then show "$(<"$output/$name.log")"; fi
}

# measure NAME SECONDS BENCHMARK... [OPTION...]: goes on where an earlier call was interrupted
measure() {
  local name=$1 most=$2 begun
  shift 2
  begun=$(find "$output/$name" -maxdepth 1 \( -name '*Z.journal' -o -name '*Z.json' \) 2>/dev/null |
    sort | tail -n 1 || true)
  if [[ -n $begun ]] && ! grep -qs FAILED "$verdicts/$name.not"; then
    step "$name" "$most" "${stratoperf[@]}" run --resume "$begun"
  else
    step "$name" "$most" "${stratoperf[@]}" run "$@" --quick --output "$output/$name"
  fi
}

# The tests' own settings ask for plugins that an image may not have.
cat >"$scratch/pytest.ini" <<END
[pytest]
pythonpath = "$root/tests/ground" "$root/tests/wording"
filterwarnings =
    ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning
markers =
    thorough: left out by the test command of the README
    gpu: needs a CUDA device
    slow: takes more than a few seconds
    timing: judges wall time
    timeout: how long a test may take, where pytest-timeout is installed
END
# Verbose: where they do not end, the log tells at which one.
tests=("$python" -m pytest -v -ra -c "$scratch/pytest.ini" --rootdir "$root" -p no:cacheprovider
  -m gpu --color no)
stratoperf=("$python" -m stratoperf)
peers=("$python" "$root/tests/performance/peers.py")
# Tests let calls of the CUDA API fail on purpose; kernels must not.
sanitizer=(compute-sanitizer --error-exitcode 99 --report-api-errors no --target-processes all)

finished() {
  local name
  for name in "${names[@]}"; do [[ -e $verdicts/$name ]] || return 1; done
}

# Written anew by each call, from what is there.
summarize() {
  local name
  {
    echo "stratoperf on $identity, $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "CPU: $cpu, $(nproc) logical CPUs; Linux $(uname -r)"
    echo "compiler: $("${CUDACXX:-nvcc}" --version | sed -n 's/^Cuda compilation tools, //p'); $("${CXX:-c++}" --version | head -n 1)"
    echo
    for name in "${names[@]}"; do
      printf '%-24s %s\n' "$name" \
        "$(cat "$verdicts/$name" 2>/dev/null || cat "$verdicts/$name.not" 2>/dev/null || echo 'not begun')"
    done
    for name in "${names[@]}"; do
      if [[ $name != build && $name != *check && $name != tests && -s $output/$name.log ]]; then
        printf '\n== %s%s\n' "$name" "$([[ -e $verdicts/$name ]] || echo ', not complete')"
        cat "$output/$name.log"
      fi
    done
    echo
    if finished; then
      echo "all is done and passed; results are in $output"
    else
      echo "missing: $(for name in "${names[@]}"; do [[ -e $verdicts/$name ]] || printf '%s ' "$name"; done)"
      if [[ -n $untested ]]; then advice $untested; fi
      command -v compute-sanitizer >/dev/null || echo "compute-sanitizer is not on the PATH"
      echo "their logs, where they were begun, are in $output; call this script again for the rest"
    fi
  } >"$output/summary.new"
  mv "$output/summary.new" "$output/summary.txt"
}

cd "$scratch"
show "stratoperf on $identity"

# Another source needs another build; what an earlier call compiled is used.
[[ -e $site/built-$source_id ]] || rm -f "$verdicts/build"
step build 130 "$python" -m pip install --no-build-isolation --no-deps --no-index --upgrade \
  --target "$site" --config-settings="build-dir=$kept/objects" \
  --config-settings=cmake.define.STRATOPERF_CUDA=ON "$root"
if [[ ! -e $verdicts/build ]]; then
  summarize
  tail -n 30 "$output/build.log" >&2
  exit 1
fi
touch "$site/built-$source_id"

# What is not this device is never shown under its name.
device=$("$python" -c 'from stratoperf.backends import cuda_module as cuda; print(cuda().device.facts().name)' 2>&1 || true)
if ! grep -Fxq -- "$device" <<<"$(ask_gpus name)"; then
  echo "nvidia-smi lists '$gpu', but the CUDA module has: $device" >&2
  exit 3
fi

# The headline, in each mode; then the floor beside which it is judged.
for mode in graph persistent launch; do
  measure "consensus-$mode" 14 consensus.round --backend cuda --param votes=10000 --param byzantine=0.33 \
    --param "mode=$mode"
done
measure launch 20 gpu.launch
measure synthesis 35 synthesis.match_large synthesis.match --backend cuda --param patterns=512,64 \
  --param level=simple --processes 2
measure copies 25 gpu.copy gpu.device_copy --param memory=pinned --param size=1048576,1073741824 \
  --processes 3
measure migration 20 memory.migrate --param route=cpu:gpu,gpu:cpu --param size=1048576 --processes 3
measure utilization 45 gpu.utilization --processes 1
step peers-consensus 20 "${peers[@]}" consensus_gpu
step peers-synthesis 15 "${peers[@]}" synthesis_gpu
step peers-memory 15 "${peers[@]}" memory_gpu
if [[ -z $untested ]]; then
  step tests 30 "${tests[@]}" "$root/tests/cuda"
else
  names+=(tests)
fi
if [[ -z $untested ]] && command -v compute-sanitizer >/dev/null; then
  step memcheck 25 "${sanitizer[@]}" --tool memcheck "${tests[@]}" "$root/tests/cuda"
  # Hazards are looked for in shared memory, which rounds and matches have; it slows them down a lot.
  step racecheck 15 "${sanitizer[@]}" --tool racecheck "${tests[@]}" \
    "$root/tests/cuda/test_consensus_operations.py" "$root/tests/cuda/test_synthesis_matching.py" \
    -k "verified or stay_on_the_device"
else
  names+=(memcheck racecheck)
fi
measure consensus-sizes 20 consensus.round consensus.fill consensus.resident --backend cuda \
  --param byzantine=0.33 --processes 3

summarize
show "$(sed -n '/^all is done/,$p;/^missing: /,$p' "$output/summary.txt")"
if finished; then
  touch "$verdicts/complete"
  rm -rf "$kept"
  exit 0
fi
exit 1
