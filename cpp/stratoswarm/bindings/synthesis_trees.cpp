#include "stratoswarm/bindings/synthesis_trees.hpp"

#include <stdexcept>
#include <utility>

namespace stratoperf::bindings {
namespace {

py::object steal(PyObject* object) {
  if (object == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(object);
}

// None for an attribute that is missing, as an optional field of a tree made by hand may be.
py::object attribute(PyObject* object, const py::object& name) {
  PyObject* value = PyObject_GetAttr(object, name.ptr());
  if (value == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) {
      throw py::error_already_set();
    }
    PyErr_Clear();
    return py::none();
  }
  return py::reinterpret_steal<py::object>(value);
}

// No object for None.
py::object unless_none(PyObject* object) {
  return object == Py_None ? py::object() : py::reinterpret_borrow<py::object>(object);
}

}  // namespace

Encoder::Encoder(const py::list& specification) {
  for (const py::handle item : specification) {
    const py::tuple described = py::reinterpret_borrow<py::tuple>(item);
    const py::object node_class = described[0];
    const py::list fields = described[1];
    classes_.append(node_class);
    Kind kind;
    kind.id = static_cast<std::uint32_t>(kinds_.size());
    for (const py::handle entry : fields) {
      const py::tuple field = py::reinterpret_borrow<py::tuple>(entry);
      const py::str name = field[0];
      const py::int_ role = field[1];
      kind.fields.push_back(
          {steal(PyUnicode_FromObject(name.ptr())), static_cast<Role>(PyLong_AsLong(role.ptr()))});
      PyObject* interned = kind.fields.back().name.release().ptr();
      PyUnicode_InternInPlace(&interned);
      kind.fields.back().name = steal(interned);
      const Role last = kind.fields.back().role;
      kind.scalars += last >= Role::kScalar && last <= Role::kOperators ? 1 : 0;
    }
    kinds_.emplace(node_class.ptr(), std::move(kind));
  }
  value_id(py::none(), true);
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

py::object Encoder::operator_name(PyObject* object) {
  if (object == Py_None) {
    return py::none();
  }
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  const auto found = operator_names_.find(type);
  if (found != operator_names_.end()) {
    return found->second;
  }
  classes_.append(py::handle(type));
  py::object name = py::handle(type).attr("__name__");
  operator_names_.emplace(type, name);
  return name;
}

// Equal keys are the same value: 1, 1.0 and True are three, and so are 0.0 and -0.0.
py::object Encoder::key_of(PyObject* value) {
  if (PyUnicode_CheckExact(value)) {
    return py::reinterpret_borrow<py::object>(value);
  }
  if (PyTuple_CheckExact(value)) {
    const Py_ssize_t size = PyTuple_GET_SIZE(value);
    py::tuple key(static_cast<std::size_t>(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyTuple_SET_ITEM(key.ptr(), i, key_of(PyTuple_GET_ITEM(value, i)).release().ptr());
    }
    return key;
  }
  const bool by_text = PyFloat_Check(value) || PyComplex_Check(value) ||
                       PyObject_TypeCheck(value, &PyFrozenSet_Type);
  const py::object content =
      by_text ? steal(PyObject_Repr(value)) : py::reinterpret_borrow<py::object>(value);
  return steal(PyTuple_Pack(2, reinterpret_cast<PyObject*>(Py_TYPE(value)), content.ptr()));
}

std::int64_t Encoder::value_id(const py::object& value, bool add) {
  const py::object key = key_of(value.ptr());
  PyObject* const known = PyDict_GetItemWithError(ids_.ptr(), key.ptr());
  if (known != nullptr) {
    return PyLong_AsLongLong(known);
  }
  if (PyErr_Occurred() != nullptr) {
    throw py::error_already_set();
  }
  if (!add) {
    return -1;
  }
  const auto id = static_cast<std::int64_t>(values_.size());
  if (PyDict_SetItem(ids_.ptr(), key.ptr(), py::int_(id).ptr()) != 0) {
    throw py::error_already_set();
  }
  values_.append(value);
  return id;
}

void Encoder::encode(const py::object& root, synthesis::NodeColumns& columns) {
  Rows(layouts_, columns).append(root, [this](const py::object& node, Rows& rows) {
    return read(node, rows);
  });
}

synthesis::NodeContent Encoder::read(const py::object& node, Rows& rows) {
  const Kind& kind = kind_of(node.ptr());
  scalars_.clear();
  for (const Field& field : kind.fields) {
    if (field.role != Role::kContext) {
      read_field(field, attribute(node.ptr(), field.name), rows);
    }
  }
  return {kind.id, kind.scalars == 0 ? 0 : value_of_scalars()};
}

void Encoder::read_field(const Field& field, const py::object& content, Rows& rows) {
  switch (field.role) {
    case Role::kChild:
      return rows.child(unless_none(content.ptr()));
    case Role::kChildren:
      if (content.is_none()) {
        return rows.children(0, [](std::size_t) { return py::object(); });
      }
      if (!PyList_Check(content.ptr())) {
        throw std::invalid_argument(std::string("tree: expected a list of nodes, got ") +
                                    Py_TYPE(content.ptr())->tp_name);
      }
      return rows.children(
          static_cast<std::size_t>(PyList_GET_SIZE(content.ptr())), [&](std::size_t index) {
            return unless_none(PyList_GET_ITEM(content.ptr(), static_cast<Py_ssize_t>(index)));
          });
    case Role::kOperator:
      scalars_.push_back(operator_name(content.ptr()));
      return;
    case Role::kOperators:
      scalars_.push_back(tuple_of(content, true));
      return;
    default:
      scalars_.push_back(PyList_CheckExact(content.ptr()) ? tuple_of(content, false) : content);
  }
}

py::object Encoder::tuple_of(const py::object& list, bool of_operators) {
  if (list.is_none()) {
    return py::none();
  }
  py::object tuple = steal(PySequence_Tuple(list.ptr()));
  if (of_operators) {
    const py::tuple operators = tuple;
    py::tuple names(operators.size());
    for (std::size_t i = 0; i < operators.size(); ++i) {
      names[i] = operator_name(py::object(operators[i]).ptr());
    }
    return names;
  }
  return tuple;
}

// As value_of in synthesis/vocabulary.py.
std::uint32_t Encoder::value_of_scalars() {
  while (!scalars_.empty() && scalars_.back().is_none()) {
    scalars_.pop_back();
  }
  if (scalars_.empty()) {
    return 0;
  }
  if (scalars_.size() == 1 && !PyTuple_CheckExact(scalars_[0].ptr())) {
    return static_cast<std::uint32_t>(value_id(scalars_[0], true));
  }
  py::tuple all(scalars_.size());
  for (std::size_t i = 0; i < scalars_.size(); ++i) {
    all[i] = scalars_[i];
  }
  return static_cast<std::uint32_t>(value_id(all, true));
}

}  // namespace stratoperf::bindings
