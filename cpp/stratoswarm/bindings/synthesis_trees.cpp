#include "stratoswarm/bindings/synthesis_trees.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace stratoperf::bindings {
namespace {

// What a call returned that lends an object.
PyObject* lent(PyObject* object) {
  if (object == nullptr) {
    throw PythonError();
  }
  return object;
}

void check(bool succeeded) {
  if (!succeeded) {
    throw PythonError();
  }
}

// None for an attribute that is missing, as an optional field of a tree made by hand may be.
Object attribute(PyObject* object, PyObject* name) {
  PyObject* value = PyObject_GetAttr(object, name);
  if (value == nullptr) {
    check(PyErr_ExceptionMatches(PyExc_AttributeError) != 0);
    PyErr_Clear();
    return Object::borrow(Py_None);
  }
  return Object::steal(value);
}

// No object for None.
Object unless_none(PyObject* object) {
  return object == Py_None ? Object() : Object::borrow(object);
}

bool is_none(const Object& object) { return object.get() == Py_None; }

Object interned(PyObject* text) {
  PyObject* name = Object::steal(PyUnicode_FromObject(text)).release();
  PyUnicode_InternInPlace(&name);
  return Object::steal(name);
}

}  // namespace

Encoder::Encoder(PyObject* specification)
    : ids_(Object::steal(PyDict_New())), values_(Object::steal(PyList_New(0))) {
  for (Py_ssize_t type = 0; type < PyList_Size(specification); ++type) {
    PyObject* const described = PyList_GET_ITEM(specification, type);
    PyObject* const node_class = lent(PyTuple_GetItem(described, 0));
    PyObject* const fields = lent(PyTuple_GetItem(described, 1));
    classes_.push_back(Object::borrow(node_class));
    Kind kind;
    kind.id = static_cast<std::uint32_t>(kinds_.size());
    const Py_ssize_t count = PyList_Size(fields);
    check(count >= 0);
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* const field = PyList_GET_ITEM(fields, i);
      const long role = PyLong_AsLong(lent(PyTuple_GetItem(field, 1)));
      check(role != -1 || PyErr_Occurred() == nullptr);
      kind.fields.push_back({interned(lent(PyTuple_GetItem(field, 0))), static_cast<Role>(role)});
      const Role last = kind.fields.back().role;
      kind.scalars += last >= Role::kScalar && last <= Role::kOperators ? 1 : 0;
    }
    kinds_.emplace(node_class, std::move(kind));
  }
  value_id(Py_None, true);
}

const Encoder::Kind& Encoder::kind_of(PyObject* node) {
  // A class derived from that of a node is not looked for: what it adds would be lost.
  const auto found = kinds_.find(reinterpret_cast<PyObject*>(Py_TYPE(node)));
  if (found == kinds_.end()) {
    throw std::invalid_argument(std::string("tree: expected nodes of the module ast, got ") +
                                Py_TYPE(node)->tp_name +
                                "; encode what ast.parse returns, or a node of it");
  }
  return found->second;
}

Object Encoder::operator_name(PyObject* object) {
  if (object == Py_None) {
    return Object::borrow(Py_None);
  }
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const auto found = operator_names_.find(type);
  if (found != operator_names_.end()) {
    return found->second;
  }
  classes_.push_back(Object::borrow(type));
  Object name = Object::steal(PyObject_GetAttrString(type, "__name__"));
  operator_names_.emplace(type, name);
  return name;
}

// Equal keys are the same value: 1, 1.0 and True are three, and so are 0.0 and -0.0.
Object Encoder::key_of(PyObject* value) {
  if (PyUnicode_CheckExact(value)) {
    return Object::borrow(value);
  }
  if (PyTuple_CheckExact(value)) {
    const Py_ssize_t size = PyTuple_GET_SIZE(value);
    Object key = Object::steal(PyTuple_New(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyTuple_SET_ITEM(key.get(), i, key_of(PyTuple_GET_ITEM(value, i)).release());
    }
    return key;
  }
  const bool by_text = PyFloat_Check(value) || PyComplex_Check(value) ||
                       PyObject_TypeCheck(value, &PyFrozenSet_Type);
  const Object content = by_text ? Object::steal(PyObject_Repr(value)) : Object::borrow(value);
  return Object::steal(PyTuple_Pack(2, reinterpret_cast<PyObject*>(Py_TYPE(value)), content.get()));
}

std::int64_t Encoder::value_id(PyObject* value, bool add) {
  const Object key = key_of(value);
  PyObject* const known = PyDict_GetItemWithError(ids_.get(), key.get());
  if (known != nullptr) {
    return PyLong_AsLongLong(known);
  }
  check(PyErr_Occurred() == nullptr);
  if (!add) {
    return -1;
  }
  const auto id = static_cast<std::int64_t>(PyList_GET_SIZE(values_.get()));
  const Object number = Object::steal(PyLong_FromLongLong(id));
  check(PyDict_SetItem(ids_.get(), key.get(), number.get()) == 0);
  check(PyList_Append(values_.get(), value) == 0);
  return id;
}

void Encoder::encode(PyObject* root, synthesis::NodeColumns& columns) {
  Rows(layouts_, columns).append(Object::borrow(root), [this](const Object& node, Rows& rows) {
    return read(node, rows);
  });
}

synthesis::NodeContent Encoder::read(const Object& node, Rows& rows) {
  const Kind& kind = kind_of(node.get());
  scalars_.clear();
  for (const Field& field : kind.fields) {
    if (field.role != Role::kContext) {
      read_field(field, attribute(node.get(), field.name.get()), rows);
    }
  }
  return {kind.id, kind.scalars == 0 ? 0 : value_of_scalars()};
}

void Encoder::read_field(const Field& field, Object content, Rows& rows) {
  switch (field.role) {
    case Role::kChild:
      return rows.child(unless_none(content.get()));
    case Role::kChildren:
      if (is_none(content)) {
        return rows.children(0, [](std::size_t) { return Object(); });
      }
      if (!PyList_Check(content.get())) {
        throw std::invalid_argument(std::string("tree: expected a list of nodes, got ") +
                                    Py_TYPE(content.get())->tp_name);
      }
      return rows.children(
          static_cast<std::size_t>(PyList_GET_SIZE(content.get())), [&](std::size_t index) {
            return unless_none(PyList_GET_ITEM(content.get(), static_cast<Py_ssize_t>(index)));
          });
    case Role::kOperator:
      scalars_.push_back(operator_name(content.get()));
      return;
    case Role::kOperators:
      scalars_.push_back(tuple_of(content.get(), true));
      return;
    default:
      scalars_.push_back(PyList_CheckExact(content.get()) ? tuple_of(content.get(), false)
                                                          : std::move(content));
  }
}

Object Encoder::tuple_of(PyObject* list, bool of_operators) {
  if (list == Py_None) {
    return Object::borrow(Py_None);
  }
  Object tuple = Object::steal(PySequence_Tuple(list));
  if (!of_operators) {
    return tuple;
  }
  const Py_ssize_t size = PyTuple_GET_SIZE(tuple.get());
  Object names = Object::steal(PyTuple_New(size));
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* const name = operator_name(PyTuple_GET_ITEM(tuple.get(), i)).release();
    PyTuple_SET_ITEM(names.get(), i, name);
  }
  return names;
}

// As value_of in synthesis/vocabulary.py.
std::uint32_t Encoder::value_of_scalars() {
  while (!scalars_.empty() && is_none(scalars_.back())) {
    scalars_.pop_back();
  }
  if (scalars_.empty()) {
    return 0;
  }
  if (scalars_.size() == 1 && !PyTuple_CheckExact(scalars_[0].get())) {
    return static_cast<std::uint32_t>(value_id(scalars_[0].get(), true));
  }
  const Object all = Object::steal(PyTuple_New(static_cast<Py_ssize_t>(scalars_.size())));
  for (std::size_t i = 0; i < scalars_.size(); ++i) {
    Object content = scalars_[i];
    PyTuple_SET_ITEM(all.get(), static_cast<Py_ssize_t>(i), content.release());
  }
  return static_cast<std::uint32_t>(value_id(all.get(), true));
}

}  // namespace stratoperf::bindings
