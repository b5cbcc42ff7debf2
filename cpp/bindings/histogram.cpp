#include "core/histogram.hpp"

#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "core/fork.hpp"

namespace stratoperf::bindings {
namespace {

// The histogram of the core, safe for use by several Python threads: record_many works without
// the GIL.
class SharedHistogram final : public Histogram {
 public:
  explicit SharedHistogram(const Range& range) : Histogram(range) {}

  // The holder never waits for the GIL, so waiting for it while holding the GIL ends. Throws Forked
  // where the holder is a thread of the process that forked this one, which never lets go here.
  std::unique_lock<std::mutex> lock() const {
    std::unique_lock held(mutex_, std::try_to_lock);
    if (!held) {
      process_.require("this histogram was being filled when it was copied: it was");
      held.lock();
    }
    return held;
  }

 private:
  OwnProcess process_ = {};
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

// Of one of the types that the core reads in place.
using Numbers = Typed<"numpy.typing.NDArray[numpy.number]">;

void record_many(SharedHistogram& self, const Numbers& numbers) {
  const auto values = numbers.cast<py::array>();
  const py::dtype type = values.dtype();
  if (type.is(py::dtype::of<std::int64_t>())) {
    record_all<std::int64_t>(self, values);
  } else if (type.is(py::dtype::of<std::uint64_t>())) {
    record_all<std::uint64_t>(self, values);
  } else {
    record_all<double>(self, values);  // which refuses every other type by name
  }
}

// Whatever Python takes for a number. Not as an argument of type double: what is no number would
// end in the text that pybind11 has for that.
void record(SharedHistogram& self, const py::object& value) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw std::invalid_argument("value: expected a number of at least 0, got a " +
                                py::type::of(value).attr("__name__").cast<std::string>());
  }
  const auto lock = self.lock();
  self.record_many(std::span<const double>(&number, 1));
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

// Those that hold something, in ascending order, as read-only arrays.
struct Buckets {
  py::array_t<std::uint64_t> low;
  py::array_t<std::uint64_t> high;
  py::array_t<std::uint64_t> count;
};

Buckets buckets(const SharedHistogram& self) {
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
  return {to_array(std::move(low)), to_array(std::move(high)), to_array(std::move(count))};
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

void register_histogram(py::module_ module) {
  // What the sampler records into; it holds the histogram alone while it does.
  py::class_<Histogram>(module, "Recorder");
  py::class_<Buckets>(module, "Buckets", "The buckets that hold something, in ascending order.")
      .def_readonly("low", &Buckets::low, "The lowest value of each.")
      .def_readonly("high", &Buckets::high, "The highest value of each.")
      .def_readonly("count", &Buckets::count);
  py::class_<SharedHistogram, Histogram>(module, "Histogram")
      .def(py::init([](std::uint64_t lowest, std::uint64_t highest, int digits) {
             return std::make_unique<SharedHistogram>(Histogram::Range{lowest, highest, digits});
           }),
           py::arg("lowest"), py::arg("highest"), py::arg("digits"))
      .def("record", record_integer, py::arg("value").noconvert(), "Count one value.")
      .def("record", record, py::arg("value"), "Count one value, rounded to the nearest integer.")
      .def("record_many", record_many, py::arg("values"), "Count every value of an array.")
      .def("merge", merge, py::arg("other"),
           "Add the counts of another histogram. InvalidParameter, and nothing is added, unless "
           "each\nof its buckets lies within one of ours and its overflow beyond our range too.")
      .def(
          "reset",
          [](SharedHistogram& self) {
            const auto lock = self.lock();
            self.Histogram::reset();
          },
          "Forget everything recorded.")
      .def("quantile", locked(&Histogram::quantile), py::arg("q"),
           "Quantile q in [0, 1], interpolated as by numpy.quantile, each value taken for the "
           "middle of\nits bucket and overflow for `highest`. InvalidParameter when nothing is "
           "recorded.")
      .def("quantile_interval", locked(&Histogram::quantile_interval), py::arg("q"),
           py::arg("confidence"))
      .def("buckets", buckets, "As read-only arrays. Overflow has no bucket.")
      .def_property_readonly(
          "mean", locked(&Histogram::mean),
          "Of the middles of the buckets; InvalidParameter when nothing is recorded.")
      .def_property_readonly(
          "stdev", locked(&Histogram::stdev),
          "Of the middles of the buckets; InvalidParameter for fewer than two values.")
      .def_property_readonly("count", locked(&Histogram::count),
                             "How many values were recorded, overflow included.")
      .def_property_readonly("overflow", locked(&Histogram::overflow),
                             "How many of them lie above `highest`.")
      .def_property_readonly("min", locked(&Histogram::min),
                             "The exact smallest value; None when nothing is recorded.")
      .def_property_readonly("max", locked(&Histogram::max),
                             "The exact largest value; None when nothing is recorded.")
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
