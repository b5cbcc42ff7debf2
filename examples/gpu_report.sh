#!/usr/bin/env bash
# All that there is to say about this machine's GPU, in one call of at most 8 minutes:
#
#   gpu_report.sh [OUTPUT_DIR]          [default: examples/results/<GPU>-<CPU>/]
#
# Builds the package into a scratch folder, runs the tests that need a GPU, the benchmarks on it and
# the comparison with peers, then the tests again under compute-sanitizer. Leaves run files, logs and
# summary.txt in OUTPUT_DIR, and nothing elsewhere. No network is used and no setting of the device
# is changed; keep other work off the machine.
#
# Exit code: 0 all passed; 1 something failed or did not fit into the time; 2 wrong usage; 3 something
# is missing, and nothing was done.
#
# Environment: PYTHON (python3), WHEELS (a folder of wheels for packages that are missing), CUDAARCHS
# (this GPU's), BUDGET_S (480).
set -euo pipefail
set -m  # every step is a process group of its own, so that it can be ended as a whole

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: ${0##*/} [OUTPUT_DIR]" >&2
  exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
budget=${BUDGET_S:-480}
scratch=$(mktemp -d)
child=

finish() {
  if [[ -n $child ]]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing is written beside the sources, nor into the home directory.
export PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 PYTHONUNBUFFERED=1
export PYTHONPATH=$scratch/site${PYTHONPATH:+:$PYTHONPATH}
export HYPOTHESIS_STORAGE_DIRECTORY=$scratch/hypothesis TMPDIR=$scratch/tmp
export XDG_CACHE_HOME=$scratch/cache XDG_CONFIG_HOME=$scratch/config
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
mkdir -p "$scratch/tmp" "$scratch/site"

# ---- What must be there -------------------------------------------------------------------------

missing=()

# What is imported, and the package that has it.
declare -A package_of=([numpy]=numpy [msgspec]=msgspec [rich]=rich [click]=click
  [pynvml]=nvidia-ml-py [pytest]=pytest [hypothesis]=hypothesis [pybind11]=pybind11
  [scikit_build_core]=scikit-build-core [pip]=pip)

can_import() {
  "$python" -c "import $1" >/dev/null 2>&1
}

# install_wheel PACKAGE: from WHEELS, if that is given and has it
install_wheel() {
  [[ -n ${WHEELS:-} ]] && "$python" -m pip install --quiet --no-index --find-links "$WHEELS" \
    --target "$scratch/site" --upgrade "$1" >>"$scratch/wheels.log" 2>&1
}

check_packages() {
  local name absent=()
  for name in "${!package_of[@]}"; do
    if ! can_import "$name" && ! { install_wheel "${package_of[$name]}" && can_import "$name"; }; then
      absent+=("${package_of[$name]}")
    fi
  done
  if [[ ${#absent[@]} -gt 0 ]]; then
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    missing+=("Python packages: ${absent[*]}. Where there is a network, run
    pip download -d wheels --only-binary :all: --python-version $version ${absent[*]}
  and call this script with WHEELS=wheels.")
    if [[ -s $scratch/wheels.log ]]; then
      missing+=("what pip said of WHEELS=$WHEELS: $(tail -n 3 "$scratch/wheels.log")")
    fi
  fi
}

# ask_gpu PROPERTY: of the first one; nothing where nvidia-smi fails, whose complaints go to stdout
ask_gpu() {
  local answer
  answer=$(nvidia-smi "--query-gpu=$1" --format=csv,noheader 2>/dev/null) && head -n 1 <<<"$answer"
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
for tool in "${CXX:-c++}" cmake timeout; do
  if ! command -v "$tool" >/dev/null; then
    missing+=("$tool: it is not on the PATH")
  fi
done
if ! command -v ninja >/dev/null && ! command -v make >/dev/null; then
  missing+=("ninja or make: neither is on the PATH")
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
  missing+=("Python 3.10 or later: $python is none; set PYTHON")
else
  headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  if [[ ! -e $headers/Python.h ]]; then
    missing+=("Python's headers: $headers has no Python.h; install python3-dev, or set PYTHON")
  fi
  check_packages
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
mkdir -p "$output"
output=$(cd "$output" && pwd)
summary=$output/summary.txt

say() {
  echo "$*" | tee -a "$summary"
}

# ---- Steps --------------------------------------------------------------------------------------

failures=0
kill_after=10  # seconds to save what was measured

# step NAME SECONDS COMMAND...: runs it for so long at most, within the budget; the log is NAME.log
step() {
  local name=$1 most=$2 begin=$SECONDS code=0 verdict
  shift 2
  local left=$((budget - SECONDS - kill_after))
  if ((left < 5)); then
    say "$(printf '%-28s did not fit: the %d s are over' "$name" "$budget")"
    failures=$((failures + 1))
    return
  fi
  # Interrupted, `stratoperf run` saves what it has measured; who does not end then is killed.
  timeout --signal=INT --kill-after="$kill_after" "$((most < left ? most : left))" "$@" \
    >"$output/$name.log" 2>&1 </dev/null &
  child=$!
  wait "$child" 2>/dev/null || code=$?
  child=
  case $code in
    0) verdict=passed ;;
    124 | 137) verdict="did not fit into its time" ;;
    *) verdict="FAILED with exit code $code" ;;
  esac
  if [[ $code -ne 0 ]]; then
    failures=$((failures + 1))
  fi
  say "$(printf '%-28s %s, %d s' "$name" "$verdict" "$((SECONDS - begin))")"
}

# The tests' own settings ask for plugins that an image may not have.
cat >"$scratch/pytest.ini" <<'END'
[pytest]
markers =
    gpu: needs a CUDA device
    timeout: how long a test may take, where pytest-timeout is installed
END
# Verbose: where they do not end, the log tells at which one.
tests=("$python" -m pytest -v -ra -c "$scratch/pytest.ini" --rootdir "$root" -p no:cacheprovider
  -m gpu --color no)
stratoperf=("$python" -c 'from stratoperf.cli import main; main()')

sanitizer() {
  local tool=$1 most=$2
  shift 2
  if ! command -v compute-sanitizer >/dev/null; then
    say "$(printf '%-28s not done: compute-sanitizer is not on the PATH' "$tool")"
    failures=$((failures + 1))
    return
  fi
  # Tests let calls of the CUDA API fail on purpose; kernels must not.
  step "$tool" "$most" compute-sanitizer --tool "$tool" --error-exitcode 99 \
    --report-api-errors no --target-processes all "${tests[@]}" "$@"
}

cd "$scratch"
: >"$summary"
say "stratoperf on $gpu, $(date -u +%Y-%m-%dT%H:%M:%SZ)"
say "CPU: $cpu, $(nproc) logical CPUs; Linux $(uname -r)"
say "driver: $(ask_gpu driver_version || true)"
say "compiler: $("${CUDACXX:-nvcc}" --version | sed -n 's/^Cuda compilation tools, //p'); $("${CXX:-c++}" --version | head -n 1)"
say "source: $(git -C "$root" describe --always --dirty 2>/dev/null || echo 'no git repository')"
say ""

step build 200 "$python" -m pip install --no-build-isolation --no-deps --no-index \
  --target "$scratch/site" --config-settings="build-dir=$scratch/build" \
  --config-settings=cmake.define.STRATOPERF_CUDA=ON "$root"
if ((failures > 0)); then
  tail -n 30 "$output/build.log" >&2
  exit 1
fi
step tests 120 "${tests[@]}" "$root/tests/cuda"
step benchmarks-gpu 130 "${stratoperf[@]}" run 'gpu.*' --backend cuda --quick --output "$output"
step benchmarks-round 120 "${stratoperf[@]}" run consensus.round consensus.fill --backend cuda \
  --quick --output "$output"
# Apart, since millions of votes take long to make up.
step benchmarks-resident 50 "${stratoperf[@]}" run consensus.resident --backend cuda --quick \
  --output "$output"
step benchmarks-synthesis 50 "${stratoperf[@]}" run 'synthesis.match*' --backend cuda --quick \
  --output "$output"
step benchmarks-memory 90 "${stratoperf[@]}" run memory.migrate memory.bandwidth memory.allocate \
  --param route=cpu:gpu,gpu:cpu,huge:gpu,gpu:huge --param tier=gpu \
  --param transfer=copy:cpu:gpu,copy:gpu:cpu,copy:huge:gpu,copy:gpu:huge,copy:gpu:gpu \
  --quick --output "$output"
rm -f "$output/latest.json"
step peers 90 "$python" "$root/tests/performance/peers.py" consensus
step peers-synthesis 90 "$python" "$root/tests/performance/peers.py" synthesis
step peers-memory 60 "$python" "$root/tests/performance/peers.py" memory_gpu
sanitizer memcheck 90 "$root/tests/cuda"
# Hazards are looked for in shared memory, which rounds and matches have; it slows them down a lot.
sanitizer racecheck 60 "$root/tests/cuda/test_consensus_operations.py" \
  "$root/tests/cuda/test_synthesis_matching.py" -k "verified or stay_on_the_device"

for name in benchmarks-gpu benchmarks-round benchmarks-resident benchmarks-synthesis \
  benchmarks-memory peers peers-synthesis peers-memory; do
  if [[ -s $output/$name.log ]]; then
    say ""
    say "== $name"
    say "$(cat "$output/$name.log")"
  fi
done
say ""
if ((failures > 0)); then
  say "$failures of the steps did not pass; their logs are in $output"
  exit 1
fi
say "all passed in $SECONDS s; results are in $output"
