#include "stratoswarm/bindings/synthesis_encoder.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

namespace stratoperf::bindings {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;      // the parent of a root
constexpr std::uint32_t kWithGaps = 0x80000000;  // a list that holds None here and there
constexpr std::size_t kMostNodes = std::size_t{1} << 31;

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

}  // namespace

Encoder::Encoder(const py::list& specification) {
  for (const py::handle item : specification) {
    const auto [node_class, fields] = item.cast<std::pair<py::object, py::list>>();
    classes_.append(node_class);
    Kind kind;
    kind.id = static_cast<std::uint32_t>(kinds_.size());
    for (const py::handle entry : fields) {
      const auto [name, role] = entry.cast<std::pair<py::str, int>>();
      kind.fields.push_back({steal(PyUnicode_FromObject(name.ptr())), static_cast<Role>(role)});
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

std::int64_t Encoder::layout_id(const Layout& layout, bool add) {
  // Nearly all layouts have few entries below 256: they are told apart by one word.
  std::uint64_t word = layout.size();
  std::uint32_t all = 0;
  for (const std::uint32_t entry : layout) {
    word = word << 8 | (entry & 0xff);
    all |= entry;
  }
  const auto next = static_cast<std::uint32_t>(layouts_.size());
  std::uint32_t id = next;
  if (layout.size() < 8 && all < 256) {
    const auto found = short_layouts_.find(word);
    if (found != short_layouts_.end()) {
      return found->second;
    }
    if (add) {
      short_layouts_.emplace(word, next);
    }
  } else {
    const std::string key(reinterpret_cast<const char*>(layout.data()), layout.size() * sizeof(id));
    const auto found = long_layouts_.find(key);
    if (found != long_layouts_.end()) {
      return found->second;
    }
    if (add) {
      long_layouts_.emplace(key, next);
    }
  }
  if (!add) {
    return -1;
  }
  layouts_.push_back(layout);
  return id;
}

// One tree. The rows appended so far are the queue of a walk level by level.
class Encoder::Walk {
 public:
  Walk(Encoder& encoder, NodeColumns& columns) : encoder_(encoder), columns_(columns) {}

  void operator()(const py::object& root) {
    const std::size_t first = columns_.kind.size();
    push(root, kNone);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const py::object node = std::move(nodes_[i]);  // its children keep what they need alive
      const Kind& kind = encoder_.kind_of(node.ptr());
      const auto row = static_cast<std::uint32_t>(first + i);
      row_ = row;
      const std::size_t before = nodes_.size();
      layout_.clear();
      scalars_.clear();
      for (const Field& field : kind.fields) {
        if (field.role != Role::kContext) {
          add_field(field, attribute(node.ptr(), field.name));
        }
      }
      columns_.kind.push_back(kind.id);
      columns_.value.push_back(kind.scalars == 0 ? 0 : value_of_scalars());
      columns_.count.push_back(static_cast<std::uint32_t>(nodes_.size() - before));
      columns_.first_child.push_back(static_cast<std::uint32_t>(first + before));
      columns_.layout.push_back(static_cast<std::uint32_t>(encoder_.layout_id(layout_, true)));
    }
  }

 private:
  void push(py::object node, std::uint32_t parent) {
    if (columns_.parent.size() >= kMostNodes) {
      throw std::invalid_argument(
          "tree: at most 2^31 nodes fit a table; does a node contain itself?");
    }
    nodes_.push_back(std::move(node));
    columns_.parent.push_back(parent);
  }

  void add_field(const Field& field, py::object content) {
    switch (field.role) {
      case Role::kChild:
        layout_.push_back(content.is_none() ? 0 : 1);
        if (!content.is_none()) {
          push(std::move(content), row_);
        }
        return;
      case Role::kChildren:
        return add_children(content);
      case Role::kOperator:
        scalars_.push_back(encoder_.operator_name(content.ptr()));
        return;
      case Role::kOperators:
        scalars_.push_back(as_tuple(content, true));
        return;
      default:
        scalars_.push_back(PyList_CheckExact(content.ptr()) ? as_tuple(content, false) : content);
    }
  }

  void add_children(const py::object& list) {
    if (list.is_none()) {
      layout_.push_back(0);
      return;
    }
    if (!PyList_Check(list.ptr())) {
      throw std::invalid_argument(std::string("tree: expected a list of nodes, got ") +
                                  Py_TYPE(list.ptr())->tp_name);
    }
    const auto size = static_cast<std::size_t>(PyList_GET_SIZE(list.ptr()));
    const std::size_t at = layout_.size();
    layout_.push_back(static_cast<std::uint32_t>(size));
    const std::size_t before = nodes_.size();
    for (std::size_t i = 0; i < size; ++i) {
      PyObject* const item = PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i));
      if (item != Py_None) {
        push(py::reinterpret_borrow<py::object>(item), row_);
      }
    }
    if (nodes_.size() - before < size) {
      layout_[at] |= kWithGaps;
      for (std::size_t i = 0; i < size; ++i) {
        PyObject* const item = PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i));
        layout_.push_back(item == Py_None ? 0 : 1);
      }
    }
  }

  py::object as_tuple(const py::object& list, bool of_operators) {
    if (list.is_none()) {
      return py::none();
    }
    py::object tuple = steal(PySequence_Tuple(list.ptr()));
    if (of_operators) {
      const py::tuple operators = tuple;
      py::tuple names(operators.size());
      for (std::size_t i = 0; i < operators.size(); ++i) {
        names[i] = encoder_.operator_name(py::object(operators[i]).ptr());
      }
      return names;
    }
    return tuple;
  }

  // As value_of in synthesis/vocabulary.py.
  std::uint32_t value_of_scalars() {
    while (!scalars_.empty() && scalars_.back().is_none()) {
      scalars_.pop_back();
    }
    if (scalars_.empty()) {
      return 0;
    }
    if (scalars_.size() == 1 && !PyTuple_CheckExact(scalars_[0].ptr())) {
      return static_cast<std::uint32_t>(encoder_.value_id(scalars_[0], true));
    }
    py::tuple all(scalars_.size());
    for (std::size_t i = 0; i < scalars_.size(); ++i) {
      all[i] = scalars_[i];
    }
    return static_cast<std::uint32_t>(encoder_.value_id(all, true));
  }

  Encoder& encoder_;
  NodeColumns& columns_;
  std::vector<py::object> nodes_ = {};
  std::uint32_t row_ = 0;
  Layout layout_ = {};
  std::vector<py::object> scalars_ = {};
};

void Encoder::encode(const py::object& root, NodeColumns& columns) { Walk(*this, columns)(root); }

}  // namespace stratoperf::bindings
