#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "bindings/bindings.hpp"
#include "core/autocorrelation.hpp"
#include "core/bootstrap.hpp"
#include "core/distributions.hpp"
#include "core/moments.hpp"
#include "core/quantile.hpp"

namespace stratoperf::bindings {
namespace {

std::span<const double> samples_of(const py::array& samples) {
  return view<double>(samples, "samples");
}

// Runs a function of the samples without the GIL.
template <typename Function>
auto without_gil(const py::array& samples, Function&& function) {
  const std::span<const double> data = samples_of(samples);
  const py::gil_scoped_release release;
  return function(data);
}

// Value, low, high, effective size, widened.
using IntervalTuple =
    std::tuple<double, std::optional<double>, std::optional<double>, double, bool>;

template <typename Interval>
IntervalTuple interval_tuple(const Interval& interval) {
  return {interval.value, interval.low, interval.high, interval.effective_size, interval.widened};
}

// Count, mean, stdev, min, max.
using MomentsTuple = std::tuple<std::size_t, double, std::optional<double>, double, double>;

MomentsTuple moments_tuple(const Moments& all) {
  return {all.count, all.mean, all.stdev, all.min, all.max};
}

// In slices short enough that Ctrl-C is answered at once.
py::array_t<double> replicates(std::unique_ptr<Resampler> resampler, std::size_t size,
                               std::size_t resamples) {
  constexpr std::size_t kSamplesPerSlice = 20'000'000;  // about 50 ms
  const std::size_t slice = std::max<std::size_t>(1, kSamplesPerSlice / size);
  std::vector<double> result(resamples);
  for (std::size_t start = 0; start < resamples; start += slice) {
    {
      const py::gil_scoped_release release;
      resampler->fill(std::span(result).subspan(start, std::min(slice, resamples - start)));
    }
    if (PyErr_CheckSignals() != 0) {
      throw py::error_already_set();
    }
  }
  return to_array(std::move(result));
}

}  // namespace

void register_statistics(py::module_ module) {
  module.def(
      "quantile",
      [](const py::array& samples, double q, double confidence) {
        return interval_tuple(without_gil(samples, [&](std::span<const double> data) {
          return quantile_interval(data, q, confidence);
        }));
      },
      py::arg("samples"), py::arg("q"), py::arg("confidence"),
      "(value, low, high, effective size, widened)");
  module.def(
      "mean",
      [](const py::array& samples, double confidence) {
        return interval_tuple(without_gil(samples, [&](std::span<const double> data) {
          return mean_interval(data, confidence);
        }));
      },
      py::arg("samples"), py::arg("confidence"), "(value, low, high, effective size, widened)");
  module.def(
      "moments",
      [](const py::array& samples) { return moments_tuple(without_gil(samples, moments)); },
      py::arg("samples"), "(count, mean, stdev, min, max)");
  module.def(
      "trim",
      [](const py::array& samples, double sigma) {
        const Trimmed trimmed = without_gil(samples, [&](std::span<const double> data) {
          return trim(data, moments(data), sigma);
        });
        return std::tuple(trimmed.dropped, moments_tuple(trimmed.kept));
      },
      py::arg("samples"), py::arg("sigma"), "(dropped, moments of the kept)");
  module.def(
      "median_absolute_deviation",
      [](const py::array& samples) { return without_gil(samples, median_absolute_deviation); },
      py::arg("samples"));
  module.def(
      "correlation_time",
      [](const py::array& samples) {
        const CorrelationTime found = without_gil(samples, correlation_time);
        return std::tuple(found.time, found.significant);
      },
      py::arg("samples"), "Of the series, for its mean: (time, significant)");
  module.def(
      "indicator_correlation_time",
      [](const py::array& samples, double q) {
        const CorrelationTime found = without_gil(samples, [&](std::span<const double> data) {
          return indicator_correlation_time(data, quantile(data, q), q);
        });
        return std::tuple(found.time, found.significant);
      },
      py::arg("samples"), py::arg("q"),
      "Of being at most quantile q, for that quantile: (time, significant)");
  module.def("student_half_width", student_t_half_width, py::arg("confidence"),
             py::arg("degrees_of_freedom"),
             "Half the width of the central part of Student's t that has this probability");
  module.def("block_length", block_length, py::arg("n"), py::arg("correlation_time"));
  module.def(
      "bootstrap_quantile",
      [](const py::array& samples, double q, std::size_t resamples, std::size_t block,
         std::uint64_t seed, std::uint64_t stream) {
        const std::span<const double> data = samples_of(samples);
        return replicates(quantile_resampler(data, q, {block, seed, stream}), data.size(),
                          resamples);
      },
      py::arg("samples"), py::arg("q"), py::arg("resamples"), py::arg("block"), py::arg("seed"),
      py::arg("stream"));
  module.def(
      "bootstrap_mean",
      [](const py::array& samples, std::size_t resamples, std::size_t block, std::uint64_t seed,
         std::uint64_t stream) {
        const std::span<const double> data = samples_of(samples);
        return replicates(mean_resampler(data, {block, seed, stream}), data.size(), resamples);
      },
      py::arg("samples"), py::arg("resamples"), py::arg("block"), py::arg("seed"),
      py::arg("stream"));
}

}  // namespace stratoperf::bindings
