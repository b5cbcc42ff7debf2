// What a series says about one number.
#pragma once

#include <optional>

namespace stratoperf {

struct Interval {
  double value = 0;
  std::optional<double> low = std::nullopt;   // empty where the series is too short to bound it
  std::optional<double> high = std::nullopt;  // likewise
  double effective_size = 0;  // the number of independent samples that the series is worth
  bool widened = false;       // the samples are correlated and the interval was widened for it
};

}  // namespace stratoperf
