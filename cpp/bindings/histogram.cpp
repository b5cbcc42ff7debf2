#include "core/histogram.hpp"

#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {
namespace {

// The histogram of the core, safe for use by several Python threads: record_many works without
// the GIL.
class SharedHistogram final : public Histogram {
 public:
  explicit SharedHistogram(const Range& range) : Histogram(range) {}

  // The holder never waits for the GIL, so waiting for it while holding the GIL ends.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

 private:
  mutable std::mutex mutex_;
};

// Wraps a member function so that it runs under the lock.
template <typename Result, typename... Arguments>
auto locked(Result (Histogram::*member)(Arguments...) const) {
  return [member](const SharedHistogram& self, Arguments... arguments) {
    const auto lock = self.lock();
    return (self.*member)(arguments...);
  };
}

template <typename T>
void record_all(SharedHistogram& self, const py::array& values) {
  const std::span<const T> data = view<T>(values, "values");
  const py::gil_scoped_release release;
  const auto lock = self.lock();
  self.record_many(data);
}

void record_many(SharedHistogram& self, const py::array& values) {
  const py::dtype type = values.dtype();
  if (type.is(py::dtype::of<std::int64_t>())) {
    record_all<std::int64_t>(self, values);
  } else if (type.is(py::dtype::of<std::uint64_t>())) {
    record_all<std::uint64_t>(self, values);
  } else {
    record_all<double>(self, values);  // which refuses every other type by name
  }
}

void record(SharedHistogram& self, double value) {
  const auto lock = self.lock();
  self.record_many(std::span<const double>(&value, 1));
}

void record_integer(SharedHistogram& self, std::uint64_t value) {
  const auto lock = self.lock();
  self.Histogram::record(value);
}

void merge(SharedHistogram& self, const SharedHistogram& other) {
  const Histogram copy = [&other] {
    const auto lock = other.lock();
    return Histogram(other);
  }();
  const auto lock = self.lock();
  self.Histogram::merge(copy);
}

py::tuple buckets(const SharedHistogram& self) {
  std::vector<std::uint64_t> low;
  std::vector<std::uint64_t> high;
  std::vector<std::uint64_t> count;
  {
    const auto lock = self.lock();
    for (const Histogram::Bucket& bucket : self.Histogram::buckets()) {
      low.push_back(bucket.low);
      high.push_back(bucket.high);
      count.push_back(bucket.count);
    }
  }
  return py::make_tuple(to_array(std::move(low)), to_array(std::move(high)),
                        to_array(std::move(count)));
}

py::tuple quantile_interval(const SharedHistogram& self, double q, double confidence) {
  const auto lock = self.lock();
  const QuantileInterval found = self.Histogram::quantile_interval(q, confidence);
  return py::make_tuple(found.value, found.low, found.high);
}

using State = std::tuple<std::uint64_t, std::uint64_t, int, std::vector<std::uint64_t>,
                         std::vector<std::uint64_t>, std::uint64_t, std::uint64_t, std::uint64_t>;

State get_state(const SharedHistogram& self) {
  const auto lock = self.lock();
  std::vector<std::uint64_t> lows;
  std::vector<std::uint64_t> counts;
  for (const Histogram::Bucket& bucket : self.Histogram::buckets()) {
    lows.push_back(bucket.low);
    counts.push_back(bucket.count);
  }
  const Histogram::Range& range = self.range();
  return {range.lowest,      range.highest,   range.digits,           std::move(lows),
          std::move(counts), self.overflow(), self.min().value_or(0), self.max().value_or(0)};
}

void set_state(SharedHistogram& self, const State& state) {
  const auto& [lowest, highest, digits, lows, counts, overflow, min, max] = state;
  if (lows.size() != counts.size()) {
    throw std::invalid_argument("state: needs as many buckets (" + std::to_string(lows.size()) +
                                ") as counts (" + std::to_string(counts.size()) + ")");
  }
  std::vector<Histogram::Bucket> filled;
  for (std::size_t i = 0; i < lows.size(); ++i) {
    filled.push_back({.low = lows[i], .high = lows[i], .count = counts[i]});
  }
  Histogram restored = Histogram::restore({lowest, highest, digits}, filled, overflow, min, max);
  const auto lock = self.lock();
  static_cast<Histogram&>(self) = std::move(restored);
}

}  // namespace

Histogram& histogram_from(const py::object& histogram) {
  return histogram.cast<SharedHistogram&>();
}

void register_histogram(py::module_ module) {
  // What the sampler records into; it holds the histogram alone while it does.
  py::class_<Histogram>(module, "Recorder");
  py::class_<SharedHistogram, Histogram>(module, "Histogram")
      .def(py::init([](std::uint64_t lowest, std::uint64_t highest, int digits) {
             return std::make_unique<SharedHistogram>(Histogram::Range{lowest, highest, digits});
           }),
           py::arg("lowest"), py::arg("highest"), py::arg("digits"))
      .def("record", record_integer, py::arg("value").noconvert())
      .def("record", record, py::arg("value"))
      .def("record_many", record_many, py::arg("values"))
      .def("merge", merge, py::arg("other"))
      .def("reset",
           [](SharedHistogram& self) {
             const auto lock = self.lock();
             self.Histogram::reset();
           })
      .def("quantile", locked(&Histogram::quantile), py::arg("q"))
      .def("quantile_interval", quantile_interval, py::arg("q"), py::arg("confidence"))
      .def("buckets", buckets)
      .def_property_readonly("mean", locked(&Histogram::mean))
      .def_property_readonly("stdev", locked(&Histogram::stdev))
      .def_property_readonly("count", locked(&Histogram::count))
      .def_property_readonly("overflow", locked(&Histogram::overflow))
      .def_property_readonly("min", locked(&Histogram::min))
      .def_property_readonly("max", locked(&Histogram::max))
      .def_property_readonly("lowest",
                             [](const SharedHistogram& self) { return self.range().lowest; })
      .def_property_readonly("highest",
                             [](const SharedHistogram& self) { return self.range().highest; })
      .def_property_readonly("digits",
                             [](const SharedHistogram& self) { return self.range().digits; })
      .def_property_readonly("memory_bytes", &SharedHistogram::memory_bytes)
      .def("_state", get_state)
      .def("_restore", set_state, py::arg("state"));
}

}  // namespace stratoperf::bindings
