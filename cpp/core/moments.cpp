#include "core/moments.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/autocorrelation.hpp"
#include "core/distributions.hpp"
#include "core/quantile.hpp"

namespace stratoperf {

Moments moments(std::span<const double> samples) {
  Moments result;
  result.count = samples.size();
  const auto count = static_cast<double>(samples.size());
  const auto [min, max] = std::minmax_element(samples.begin(), samples.end());
  result.min = *min;
  result.max = *max;
  // Rounding could push the mean of equal samples past them.
  result.mean =
      std::clamp(std::reduce(samples.begin(), samples.end()) / count, result.min, result.max);
  if (samples.size() > 1) {
    const double squares =
        std::transform_reduce(samples.begin(), samples.end(), 0.0, std::plus<>{},
                              [mean = result.mean](double x) { return (x - mean) * (x - mean); });
    result.stdev = std::sqrt(squares / (count - 1));
  }
  return result;
}

Trimmed trim(std::span<const double> samples, const Moments& all, double sigma) {
  const double reach = sigma * all.stdev.value_or(0);
  std::vector<double> kept;
  kept.reserve(samples.size());
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(kept),
               [&](double x) { return std::abs(x - all.mean) <= reach; });
  Trimmed result;
  result.dropped = samples.size() - kept.size();
  if (!kept.empty()) {
    result.kept = moments(kept);
  }
  return result;
}

Interval mean_interval(std::span<const double> samples, double confidence) {
  check_confidence(confidence);
  const Moments all = moments(samples);
  const auto count = static_cast<double>(all.count);
  Interval result{.value = all.mean, .effective_size = count};
  if (!all.stdev.has_value()) {
    return result;
  }
  double degrees_of_freedom = count - 1;
  const CorrelationTime cost = correlation_time(samples);
  if (cost.significant && cost.time > 1) {
    result.widened = true;
    result.effective_size = count / cost.time;
    degrees_of_freedom = std::min(degrees_of_freedom, cost.degrees_of_freedom);
  }
  const double half_width = student_t_half_width(confidence, degrees_of_freedom) * *all.stdev /
                            std::sqrt(result.effective_size);
  result.low = all.mean - half_width;
  result.high = all.mean + half_width;
  return result;
}

double median_absolute_deviation(std::span<const double> samples) {
  const double median = quantile(samples, 0.5);
  std::vector<double> distances(samples.size());
  std::transform(samples.begin(), samples.end(), distances.begin(),
                 [median](double x) { return std::abs(x - median); });
  return quantile(distances, 0.5);
}

}  // namespace stratoperf
