// What the binding files share: the only place, with its siblings, that sees pybind11.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/operation.hpp"

namespace stratoperf::bindings {

namespace py = pybind11;

// One per topic of the instrument; module.cpp calls them.
// Translates what native code throws, for the module that calls it.
void register_errors();
void register_histogram(py::module_ module);
void register_operation(py::module_ module);
void register_perf_counters(py::module_ module);
void register_clock(py::module_ module);
void register_reference(py::module_ module);
void register_sampler(py::module_ module);
void register_statistics(py::module_ module);

// Wraps an operation in the capsule of stratoperf/operation.h. `keep_alive` (may be None) is
// released together with the operation: whatever owns the memory that it reads.
py::capsule operation_capsule(std::unique_ptr<Operation> operation, py::object keep_alive);

// The operation inside a capsule; throws InvalidParameter for anything else.
stratoperf_operation& operation_from(const py::object& capsule);

// An argument that is to be an array of T, which the stubs say. Takes any array: `view` refuses the
// others by name.
template <typename T>
class Array : public py::array {
 public:
  Array(py::handle source, borrowed_t tag) : py::array(source, tag) {}
  Array(py::handle source, stolen_t tag) : py::array(source, tag) {}
};

// The text of a type, as an argument of templates.
template <std::size_t kSize>
struct TypeName {
  consteval TypeName(const char (&name)[kSize]) {  // NOLINT: to be written as a literal
    std::copy_n(name, kSize, text);
  }
  char text[kSize] = {};
};

// An object of Python that is of this type, which the stubs say and nothing checks.
template <TypeName kName>
class Typed : public py::object {
 public:
  Typed() = default;
  Typed(py::handle source, borrowed_t tag) : py::object(source, tag) {}
  Typed(py::handle source, stolen_t tag) : py::object(source, tag) {}
  static bool check_(py::handle source) { return source.ptr() != nullptr; }
};

// A one-dimensional C-contiguous array of T, without a copy. Throws InvalidParameter that names
// the argument otherwise: silent conversions would hide what was measured.
template <typename T>
std::span<const T> view(const py::array& array, const char* argument);

template <typename T>
std::span<const T> view(const Array<T>& array, const char* argument) {
  return view<T>(static_cast<const py::array&>(array), argument);
}

// Moves a vector into a read-only NumPy array.
template <typename T>
py::array_t<T> to_array(std::vector<T> values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  std::vector<T>& data = *owner;
  py::capsule base(owner.release(),
                   [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  py::array_t<T> array(static_cast<py::ssize_t>(data.size()), data.data(), base);
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

[[noreturn]] void throw_invalid_array(const py::array& array, const char* argument,
                                      const std::string& dtype);

template <typename T>
std::span<const T> view(const py::array& array, const char* argument) {
  const bool fits = array.ndim() == 1 && array.dtype().is(py::dtype::of<T>()) &&
                    (array.flags() & py::array::c_style) != 0;
  if (!fits) {
    throw_invalid_array(array, argument, py::str(py::dtype::of<T>()).cast<std::string>());
  }
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

}  // namespace stratoperf::bindings

namespace pybind11::detail {

template <typename T>
struct handle_type_name<stratoperf::bindings::Array<T>> {
  static constexpr auto name =
      const_name("numpy.typing.NDArray[") + npy_format_descriptor<T>::name + const_name("]");
};

template <stratoperf::bindings::TypeName kName>
struct handle_type_name<stratoperf::bindings::Typed<kName>> {
  static constexpr auto name = const_name(kName.text);
};

}  // namespace pybind11::detail
