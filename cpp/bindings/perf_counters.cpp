#include "core/perf_counters.hpp"

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

void register_perf_counters(py::module_ module) {
  py::class_<PerfCount>(module, "PerfCount", "What was counted of one event.")
      .def_readonly("name", &PerfCount::name)
      .def_readonly("value", &PerfCount::value)
      .def_readonly("error", &PerfCount::error,
                    "0, or the errno for which it could not be counted.");
  py::class_<PerfCounters>(module, "PerfCounters")
      .def(py::init<>(),
           "Counters of user-space events, for every thread of this process and those that they "
           "start.")
      .def("start", &PerfCounters::start, "Count from zero.")
      .def("stop", &PerfCounters::stop, "Return the count of each event.");
}

}  // namespace stratoperf::bindings
