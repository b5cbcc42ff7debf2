// Reads syntax trees of Python, for the columns of a node table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "stratoswarm/bindings/python_object.hpp"
#include "stratoswarm/synthesis/level_order.hpp"

namespace stratoperf::bindings {

// Numbers the values and layouts that it meets, the same for all trees that it encodes. Every
// method needs the GIL, and throws PythonError where Python does.
class Encoder {
 public:
  // For each type of nodes its class and its fields: name and role (see synthesis/schema.py), as
  // lists of tuples.
  explicit Encoder(PyObject* specification);

  // Appends the tree below `root`. Throws std::invalid_argument for an object that is no node, and
  // for a node that contains itself.
  void encode(PyObject* root, synthesis::NodeColumns& columns);

  // A list, which this object goes on using.
  PyObject* values() const { return values_.get(); }
  synthesis::Layouts& layouts() { return layouts_; }
  // The id of a value; -1 when there is none and `add` is false.
  std::int64_t value_id(PyObject* value, bool add);

 private:
  enum class Role : std::uint8_t { kChild, kChildren, kScalar, kOperator, kOperators, kContext };

  struct Field {
    Object name;  // interned
    Role role;
  };
  struct Kind {
    std::uint32_t id = 0;
    std::vector<Field> fields = {};
    std::size_t scalars = 0;
  };

  using Rows = synthesis::LevelOrder<Object>;

  synthesis::NodeContent read(const Object& node, Rows& rows);
  void read_field(const Field& field, Object content, Rows& rows);
  std::uint32_t value_of_scalars();
  const Kind& kind_of(PyObject* node);
  Object operator_name(PyObject* object);
  Object tuple_of(PyObject* list, bool of_operators);
  static Object key_of(PyObject* value);

  std::unordered_map<PyObject*, Kind> kinds_ = {};
  std::unordered_map<PyObject*, Object> operator_names_ = {};
  std::vector<Object> classes_ = {};  // keeps the addresses above valid
  Object ids_;
  Object values_;
  synthesis::Layouts layouts_ = {};
  std::vector<Object> scalars_ = {};  // of the node that is read
};

}  // namespace stratoperf::bindings
