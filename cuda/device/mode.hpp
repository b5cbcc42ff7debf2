// How a kernel gets to know that there is work.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace stratoperf::cuda {

enum class Mode : std::uint8_t {
  kLaunch,      // a kernel is launched for each request
  kGraph,       // a graph recorded once is launched for each
  kPersistent,  // a kernel that stays on the device is told through mapped memory
};

inline constexpr std::array kModes = {Mode::kLaunch, Mode::kGraph, Mode::kPersistent};

const char* name_of(Mode mode);

// Throws std::invalid_argument for a name that no mode has.
Mode mode_named(const std::string& name);

}  // namespace stratoperf::cuda
