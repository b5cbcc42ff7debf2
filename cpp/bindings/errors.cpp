#include <new>
#include <stdexcept>
#include <string>

#include "bindings/bindings.hpp"
#include "core/failure.hpp"

namespace stratoperf::bindings {

namespace {

constexpr const char* kNoMemory =
    "there is not enough memory for this; ask for fewer or smaller ones, or free some";

const char* name_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::unavailable:
      return "BackendUnavailable";
    case Failure::Kind::wrong:
      return "VerificationFailed";
    default:
      return "StratoperfError";
  }
}

void raise(const char* name, const char* message) {
  const py::object type = py::module_::import("stratoperf.errors").attr(name);
  PyErr_SetString(type.ptr(), message);
}

void translate(std::exception_ptr error) {
  try {
    if (error) {
      std::rethrow_exception(error);
    }
  } catch (const std::invalid_argument& invalid) {
    raise("InvalidParameter", invalid.what());
  } catch (const Failure& failure) {
    raise(name_of(failure.kind()), failure.what());
  } catch (const std::bad_alloc&) {
    raise("StratoperfError", kNoMemory);
  } catch (const std::length_error&) {
    raise("StratoperfError", kNoMemory);
  }
}

}  // namespace

void register_errors() { py::register_local_exception_translator(translate); }

void throw_invalid_array(const py::array& array, const char* argument, const std::string& dtype) {
  throw std::invalid_argument(
      std::string(argument) + ": expected a one-dimensional C-contiguous array of " + dtype +
      ", got " + std::to_string(array.ndim()) + " dimension(s) of " +
      py::str(array.dtype()).cast<std::string>() +
      ((array.flags() & py::array::c_style) != 0 ? "" : ", not contiguous") +
      "; convert it with np.ascontiguousarray(" + argument + ", dtype=np." + dtype + ")");
}

}  // namespace stratoperf::bindings
