#include <algorithm>
#include <array>
#include <string>

#include "block_run.hpp"
#include "diagnosis.hpp"

namespace cuda_emulator {
namespace {

using Values = std::array<std::uint64_t, kWarpSize>;

// The lane that a shuffle reads. Out of the segment means the own value, as CUDA defines it for the
// shifting forms; the plain form wraps around.
unsigned source_lane(Collective kind, const Thread& thread) {
  const unsigned lane = thread.lane();
  const unsigned width = thread.width;
  const unsigned first = lane / width * width;
  switch (kind) {
    case Collective::shuffle:
      return first + thread.argument % width;
    case Collective::shuffle_up:
      return lane >= first + thread.argument ? lane - thread.argument : lane;
    case Collective::shuffle_down:
      return lane + thread.argument < first + width ? lane + thread.argument : lane;
    default: {
      const unsigned other = lane ^ thread.argument;
      return other < first + width ? other : lane;
    }
  }
}

std::uint64_t shuffled(Collective kind, unsigned mask, const Thread& thread, const Values& values) {
  const unsigned width = thread.width;
  if (width == 0 || width > kWarpSize || (width & (width - 1)) != 0) {
    throw KernelFailure("the width of a shuffle is " + std::to_string(width) +
                        ", which is no power of two up to 32");
  }
  const unsigned source = source_lane(kind, thread);
  if ((mask >> source & 1) == 0) {
    throw KernelFailure("lane " + std::to_string(thread.lane()) + " shuffles from lane " +
                        std::to_string(source) + ", which its mask does not have");
  }
  return values[source];
}

std::uint64_t reduced(Collective kind, unsigned mask, const Values& values) {
  bool first = true;
  unsigned result = 0;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if ((mask >> lane & 1) == 0) {
      continue;
    }
    const auto value = static_cast<unsigned>(values[lane]);
    if (first) {
      result = value;
      first = false;
      continue;
    }
    switch (kind) {
      case Collective::reduce_add:
        result += value;
        break;
      case Collective::reduce_min:
        result = std::min(result, value);
        break;
      case Collective::reduce_max:
        result = std::max(result, value);
        break;
      case Collective::reduce_and:
        result &= value;
        break;
      default:
        result |= value;
    }
  }
  return result;
}

// The lanes whose value is `wanted`.
std::uint64_t lanes_with(std::uint64_t wanted, unsigned mask, const Values& values) {
  std::uint64_t lanes = 0;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    lanes |= std::uint64_t{(mask >> lane & 1) != 0 && values[lane] == wanted} << lane;
  }
  return lanes;
}

}  // namespace

void compute(Collective kind, unsigned mask, Thread* const* lanes) {
  Values values = {};
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (lanes[lane] != nullptr) {
      values[lane] = lanes[lane]->value;
    }
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (lanes[lane] == nullptr) {
      continue;
    }
    Thread& thread = *lanes[lane];
    switch (kind) {
      case Collective::sync:
        break;
      case Collective::ballot:
        thread.value = lanes_with(1, mask, values);
        break;
      case Collective::match_any:
        thread.value = lanes_with(thread.value, mask, values);
        break;
      case Collective::shuffle:
      case Collective::shuffle_up:
      case Collective::shuffle_down:
      case Collective::shuffle_xor:
        thread.value = shuffled(kind, mask, thread, values);
        break;
      default:
        thread.value = reduced(kind, mask, values);
    }
  }
}

}  // namespace cuda_emulator
