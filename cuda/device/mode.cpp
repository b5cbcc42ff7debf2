#include "cuda/device/mode.hpp"

#include <stdexcept>

namespace stratoperf::cuda {

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::kLaunch:
      return "launch";
    case Mode::kGraph:
      return "graph";
    default:
      return "persistent";
  }
}

Mode mode_named(const std::string& name) {
  for (const Mode mode : kModes) {
    if (name == name_of(mode)) {
      return mode;
    }
  }
  throw std::invalid_argument("mode: '" + name +
                              "' is unknown; choose launch, graph or persistent");
}

}  // namespace stratoperf::cuda
