#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/synthesis_encoder.hpp"

namespace stratoperf::bindings {
namespace {

// (kind, value, count, first_child, parent, layout), each uint32.
py::tuple encode(Encoder& encoder, const py::list& roots) {
  NodeColumns columns;
  for (const py::handle root : roots) {
    encoder.encode(py::reinterpret_borrow<py::object>(root), columns);
  }
  return py::make_tuple(to_array(std::move(columns.kind)), to_array(std::move(columns.value)),
                        to_array(std::move(columns.count)),
                        to_array(std::move(columns.first_child)),
                        to_array(std::move(columns.parent)), to_array(std::move(columns.layout)));
}

py::object optional_id(std::int64_t id) { return id < 0 ? py::object(py::none()) : py::int_(id); }

void register_encoder(py::module_& module) {
  py::class_<Encoder>(module, "Encoder", "Numbers the values and layouts of syntax trees.")
      .def(py::init<const py::list&>(), py::arg("specification"))
      .def("encode", &encode, py::arg("roots"),
           "The columns of the trees, one after the other: kind, value, count, first_child, "
           "parent, layout.")
      .def_property_readonly("values", &Encoder::values)
      .def("layouts",
           [](const Encoder& encoder) {
             std::vector<py::tuple> layouts;
             for (const Encoder::Layout& layout : encoder.layouts()) {
               layouts.push_back(py::tuple(py::cast(layout)));
             }
             return layouts;
           })
      .def_property_readonly("layout_count",
                             [](const Encoder& encoder) { return encoder.layouts().size(); })
      .def(
          "value_id",
          [](Encoder& encoder, const py::object& value, bool add) {
            return optional_id(encoder.value_id(value, add));
          },
          py::arg("value"), py::arg("add"))
      .def(
          "layout_id",
          [](Encoder& encoder, const Encoder::Layout& layout, bool add) {
            return optional_id(encoder.layout_id(layout, add));
          },
          py::arg("layout"), py::arg("add"));
}

}  // namespace

void register_synthesis(py::module_ module) { register_encoder(module); }

}  // namespace stratoperf::bindings
