#include "core/reference.hpp"

#include <bit>
#include <stdexcept>
#include <string>

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

void register_reference(py::module_ module) {
  py::class_<Reference>(module, "Reference")
      .def_readonly("integer_ns", &Reference::integer_ns)
      .def_readonly("memory_ns", &Reference::memory_ns)
      .def_readonly("memory_bytes", &Reference::memory_bytes)
      .def_readonly("reason", &Reference::reason);

  module.def("read", &read_reference, py::arg("memory_bytes"),
             py::call_guard<py::gil_scoped_release>(),
             "How fast the machine is now, by a reference workload.");
  module.def("integer_chains", &integer_chains, py::arg("state"), py::arg("steps"),
             py::call_guard<py::gil_scoped_release>(),
             "The sum of the states after so many steps.");
  module.def(
      "memory_chain",
      [](const Array<std::uint64_t>& words, std::uint64_t state, std::uint64_t steps) {
        const std::span<const std::uint64_t> content = view(words, "words");
        if (content.size() < kWordsPerLine || !std::has_single_bit(content.size())) {
          throw std::invalid_argument("words: expected a power of two from 16, got " +
                                      std::to_string(content.size()));
        }
        const py::gil_scoped_release release;
        return memory_chain(content, state, steps);
      },
      py::arg("words"), py::arg("state"), py::arg("steps"),
      "The state after so many steps that read words, whose number is a power of two from 16.");
}

}  // namespace stratoperf::bindings
