#include "core/perf_counters.hpp"

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

void register_perf_counters(py::module_ module) {
  py::class_<PerfCounters>(module, "PerfCounters")
      .def(py::init<>(),
           "Counters of user-space events, for every thread of this process and those that they "
           "start.")
      .def("start", &PerfCounters::start, "Count from zero.")
      .def(
          "stop",
          [](PerfCounters& counters) {
            std::vector<std::tuple<std::string, double, int>> counts;
            for (const PerfCount& count : counters.stop()) {
              counts.emplace_back(count.name, count.value, count.error);
            }
            return counts;
          },
          "Return name, count and errno (0, or why it could not be counted) of each event.");
}

}  // namespace stratoperf::bindings
