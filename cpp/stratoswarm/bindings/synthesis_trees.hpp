// Reads syntax trees of Python, for the columns of a node table.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include <pybind11/pybind11.h>

#include "stratoswarm/synthesis/level_order.hpp"

namespace stratoperf::bindings {

namespace py = pybind11;

// Numbers the values and layouts that it meets, the same for all trees that it encodes. Every
// method needs the GIL.
class [[gnu::visibility("hidden")]] Encoder {
 public:
  // For each type of nodes its class and its fields: name and role (see synthesis/schema.py).
  explicit Encoder(const py::list& specification);

  // Appends the tree below `root`. Throws what reading an attribute throws, and
  // std::invalid_argument for an object that is no node, and for a node that contains itself.
  void encode(const py::object& root, synthesis::NodeColumns& columns);

  const py::list& values() const { return values_; }
  synthesis::Layouts& layouts() { return layouts_; }
  // The id of a value; -1 when there is none and `add` is false.
  std::int64_t value_id(const py::object& value, bool add);

 private:
  enum class Role : std::uint8_t { kChild, kChildren, kScalar, kOperator, kOperators, kContext };

  struct Field {
    py::object name;  // interned
    Role role;
  };
  struct Kind {
    std::uint32_t id = 0;
    std::vector<Field> fields = {};
    std::size_t scalars = 0;
  };

  using Rows = synthesis::LevelOrder<py::object>;

  synthesis::NodeContent read(const py::object& node, Rows& rows);
  void read_field(const Field& field, const py::object& content, Rows& rows);
  std::uint32_t value_of_scalars();
  const Kind& kind_of(PyObject* node);
  py::object operator_name(PyObject* object);
  py::object tuple_of(const py::object& list, bool of_operators);
  static py::object key_of(PyObject* value);

  std::unordered_map<PyObject*, Kind> kinds_ = {};
  std::unordered_map<PyObject*, py::object> operator_names_ = {};
  py::list classes_;  // keeps the addresses above valid
  py::dict ids_;
  py::list values_;
  synthesis::Layouts layouts_ = {};
  std::vector<py::object> scalars_ = {};  // of the node that is read
};

}  // namespace stratoperf::bindings
