// Syntax trees of Python to the columns of a node table.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

// One row for each node, in level order: the children of a node are neighbors.
struct NodeColumns {
  std::vector<std::uint32_t> kind = {};
  std::vector<std::uint32_t> value = {};
  std::vector<std::uint32_t> count = {};
  std::vector<std::uint32_t> first_child = {};
  std::vector<std::uint32_t> parent = {};
  std::vector<std::uint32_t> layout = {};
};

// Numbers the values and layouts that it meets, the same for all trees that it encodes. Every
// method needs the GIL.
class [[gnu::visibility("hidden")]] Encoder {
 public:
  using Layout = std::vector<std::uint32_t>;

  // For each type of nodes its class and its fields: name and role (see synthesis/schema.py).
  explicit Encoder(const py::list& specification);

  // Appends the tree below `root`. Throws what reading an attribute throws, and
  // std::invalid_argument for an object that is no node, and for a node that contains itself.
  void encode(const py::object& root, NodeColumns& columns);

  const py::list& values() const { return values_; }
  const std::vector<Layout>& layouts() const { return layouts_; }
  // The id of a value or layout; -1 when there is none and `add` is false.
  std::int64_t value_id(const py::object& value, bool add);
  std::int64_t layout_id(const Layout& layout, bool add);

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

  class Walk;

  const Kind& kind_of(PyObject* node);
  py::object operator_name(PyObject* object);
  static py::object key_of(PyObject* value);

  std::unordered_map<PyObject*, Kind> kinds_ = {};
  std::unordered_map<PyObject*, py::object> operator_names_ = {};
  py::list classes_;  // keeps the addresses above valid
  py::dict ids_;
  py::list values_;
  std::unordered_map<std::uint64_t, std::uint32_t> short_layouts_ = {};
  std::unordered_map<std::string, std::uint32_t> long_layouts_ = {};
  std::vector<Layout> layouts_ = {};
};

}  // namespace stratoperf::bindings
