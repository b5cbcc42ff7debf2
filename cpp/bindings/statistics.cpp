#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bindings/bindings.hpp"
#include "core/autocorrelation.hpp"
#include "core/bootstrap.hpp"
#include "core/distributions.hpp"
#include "core/moments.hpp"
#include "core/quantile.hpp"

namespace stratoperf::bindings {
namespace {

using Samples = Array<double>;

// Runs a function of the samples without the GIL.
template <typename Function>
auto without_gil(const Samples& samples, Function&& function) {
  const std::span<const double> data = view(samples, "samples");
  const py::gil_scoped_release release;
  return function(data);
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
  py::class_<Interval>(module, "Interval", "What a series says about one number.")
      .def_readonly("value", &Interval::value)
      .def_readonly("low", &Interval::low)
      .def_readonly("high", &Interval::high)
      .def_readonly("effective_size", &Interval::effective_size)
      .def_readonly("widened", &Interval::widened);
  py::class_<Moments>(module, "Moments", "Location and spread of a series.")
      .def_readonly("count", &Moments::count)
      .def_readonly("mean", &Moments::mean)
      .def_readonly("stdev", &Moments::stdev)
      .def_readonly("min", &Moments::min)
      .def_readonly("max", &Moments::max);
  py::class_<Trimmed>(module, "Trimmed", "What is left without the outliers.")
      .def_readonly("dropped", &Trimmed::dropped)
      .def_readonly("kept", &Trimmed::kept);
  py::class_<CorrelationTime>(module, "CorrelationTime", "How long a series remembers.")
      .def_readonly("time", &CorrelationTime::time)
      .def_readonly("significant", &CorrelationTime::significant);

  module.def(
      "quantile",
      [](const Samples& samples, double q, double confidence) {
        return without_gil(samples, [&](std::span<const double> data) {
          return quantile_interval(data, q, confidence);
        });
      },
      py::arg("samples"), py::arg("q"), py::arg("confidence"));
  module.def(
      "mean",
      [](const Samples& samples, double confidence) {
        return without_gil(
            samples, [&](std::span<const double> data) { return mean_interval(data, confidence); });
      },
      py::arg("samples"), py::arg("confidence"));
  module.def(
      "moments", [](const Samples& samples) { return without_gil(samples, moments); },
      py::arg("samples"));
  module.def(
      "trim",
      [](const Samples& samples, double sigma) {
        return without_gil(samples, [&](std::span<const double> data) {
          return trim(data, moments(data), sigma);
        });
      },
      py::arg("samples"), py::arg("sigma"));
  module.def(
      "median_absolute_deviation",
      [](const Samples& samples) { return without_gil(samples, median_absolute_deviation); },
      py::arg("samples"));
  module.def(
      "correlation_time",
      [](const Samples& samples) { return without_gil(samples, correlation_time); },
      py::arg("samples"), "Of the series, for its mean.");
  module.def(
      "indicator_correlation_time",
      [](const Samples& samples, double q) {
        return without_gil(samples, [&](std::span<const double> data) {
          return indicator_correlation_time(data, quantile(data, q), q);
        });
      },
      py::arg("samples"), py::arg("q"), "Of being at most quantile q, for that quantile.");
  module.def("student_half_width", student_t_half_width, py::arg("confidence"),
             py::arg("degrees_of_freedom"),
             "Half the width of the central part of Student's t that has this probability");
  module.def("block_length", block_length, py::arg("n"), py::arg("correlation_time"));
  module.def(
      "bootstrap_quantile",
      [](const Samples& samples, double q, std::size_t resamples, std::size_t block,
         std::uint64_t seed, std::uint64_t stream) {
        const std::span<const double> data = view(samples, "samples");
        return replicates(quantile_resampler(data, q, {block, seed, stream}), data.size(),
                          resamples);
      },
      py::arg("samples"), py::arg("q"), py::arg("resamples"), py::arg("block"), py::arg("seed"),
      py::arg("stream"));
  module.def(
      "bootstrap_mean",
      [](const Samples& samples, std::size_t resamples, std::size_t block, std::uint64_t seed,
         std::uint64_t stream) {
        const std::span<const double> data = view(samples, "samples");
        return replicates(mean_resampler(data, {block, seed, stream}), data.size(), resamples);
      },
      py::arg("samples"), py::arg("resamples"), py::arg("block"), py::arg("seed"),
      py::arg("stream"));
}

}  // namespace stratoperf::bindings
