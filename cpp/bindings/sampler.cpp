#include "core/sampler.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "bindings/bindings.hpp"
#include "core/device_times.hpp"
#include "core/histogram.hpp"
#include "core/stop_signal.hpp"

namespace stratoperf::bindings {
namespace {

bool is_unrun(PyObject* result) {
  return PyCoro_CheckExact(result) || PyGen_CheckExact(result) || PyAsyncGen_CheckExact(result);
}

// Refuses what a callable returned in place of doing its work.
void refuse_unrun(PyObject* result) {
  if (PyCoro_CheckExact(result)) {
    // Closed, or Python warns that nobody awaits it.
    Py_XDECREF(PyObject_CallMethod(result, "close", nullptr));
    PyErr_Clear();
  }
  const py::object error = py::module_::import("stratoperf.errors").attr("InvalidParameter");
  PyErr_Format(error.ptr(),
               "work: its call returned a %s, which has not run; give the coroutine function "
               "itself, or a function that runs it to its end",
               Py_TYPE(result)->tp_name);
}

// A Python callable as an operation, so that it passes through the same sampler. Runs with the
// GIL held; a raised exception stays set for the caller.
int call_python(void* state, std::uint64_t n) {
  auto* callable = static_cast<PyObject*>(state);
  for (std::uint64_t i = 0; i < n; ++i) {
    PyObject* result = PyObject_CallNoArgs(callable);
    if (result == nullptr) {
      return 1;
    }
    if (result != Py_None && is_unrun(result)) {
      refuse_unrun(result);
      Py_DECREF(result);
      return 1;
    }
    Py_DECREF(result);
  }
  return 0;
}

// A capsule, or a function without arguments.
using Work = Typed<"typing_extensions.CapsuleType | collections.abc.Callable[[], object]">;
using OptionalException = std::optional<Typed<"BaseException">>;

// What sample() hands to Python: the series, and the exception that a signal handler raised.
struct Sampled {
  SampleSeries series;
  OptionalException interrupt = std::nullopt;
};

// What device_times() hands to Python.
struct TakenDeviceTimes {
  py::array_t<double> samples_ns;
  std::string error;
  OptionalException interrupt = std::nullopt;
};

// What the check of an operation said.
struct Checked {
  std::uint64_t checked = 0;
  bool passed = false;
  std::string message = {};
};

OptionalException exception_of(const py::error_already_set& error) {
  return py::reinterpret_borrow<Typed<"BaseException">>(error.value());
}

// Runs the Python signal handlers that are due; returns the exception that one of them raised.
OptionalException run_signal_handlers() {
  if (PyErr_CheckSignals() == 0) {
    return std::nullopt;
  }
  return exception_of(py::error_already_set());
}

Sampled sample_native(const py::object& capsule, const SamplerOptions& options,
                      Histogram* histogram, bool stop_on_signal) {
  stratoperf_operation& operation = operation_from(capsule);
  // Before the guard, which may set it at once.
  __atomic_store_n(&operation.stop, 0, __ATOMIC_RELAXED);
  Sampled result;
  {
    std::optional<StopOnSignal> guard;
    if (stop_on_signal) {
      guard.emplace(operation.stop);
    }
    const py::gil_scoped_release release;
    result.series = sample(operation, options, histogram);
  }
  if (stop_on_signal) {
    result.interrupt = run_signal_handlers();
  }
  return result;
}

// Empty without a device.
std::optional<TakenDeviceTimes> take_device_times(const py::object& capsule, std::uint64_t batch,
                                                  std::size_t count, double max_duration_s,
                                                  bool stop_on_signal) {
  stratoperf_operation& operation = operation_from(capsule);
  if (!has_device_time(operation)) {
    return std::nullopt;
  }
  __atomic_store_n(&operation.stop, 0, __ATOMIC_RELAXED);
  DeviceTimes times;
  {
    std::optional<StopOnSignal> guard;
    if (stop_on_signal) {
      guard.emplace(operation.stop);
    }
    const py::gil_scoped_release release;
    times = device_times(operation, batch, count, max_duration_s);
  }
  OptionalException interrupt = stop_on_signal ? run_signal_handlers() : std::nullopt;
  return TakenDeviceTimes{to_array(std::move(times.samples_ns)), std::move(times.error),
                          std::move(interrupt)};
}

Sampled sample_callable(const py::object& callable, const SamplerOptions& options,
                        Histogram* histogram, bool stop_on_signal) {
  stratoperf_operation operation = {};
  operation.struct_size = sizeof(operation);
  operation.state = callable.ptr();
  operation.run = call_python;
  Sampled result;
  {
    std::optional<StopOnSignal> guard;
    if (stop_on_signal) {
      guard.emplace(operation.stop);
    }
    result.series = sample(operation, options, histogram);
  }
  if (PyErr_Occurred() != nullptr) {
    py::error_already_set error;
    if (!error.matches(PyExc_KeyboardInterrupt)) {
      throw error;
    }
    result.series.stopped_because = StopReason::interrupted;
    result.interrupt = exception_of(error);
  } else if (stop_on_signal) {
    result.interrupt = run_signal_handlers();
  }
  return result;
}

}  // namespace

void register_sampler(py::module_ module) {
  py::class_<Sampled>(module, "Sampled")
      .def_property_readonly(
          "samples_ns",
          [](Sampled& sampled) { return to_array(std::exchange(sampled.series.samples_ns, {})); },
          "float64 array, per iteration, one per timed batch; moved out by the first access.")
      .def_property_readonly("batch", [](const Sampled& s) { return s.series.batch; })
      .def_property_readonly("started_ns", [](const Sampled& s) { return s.series.started_ns; })
      .def_property_readonly("warmup_s", [](const Sampled& s) { return s.series.warmup_s; })
      .def_property_readonly("warmup_iterations",
                             [](const Sampled& s) { return s.series.warmup_iterations; })
      .def_property_readonly("stopped_because",
                             [](const Sampled& s) { return to_string(s.series.stopped_because); })
      .def_property_readonly("error", [](const Sampled& s) { return s.series.error; })
      .def_readonly("interrupt", &Sampled::interrupt,
                    "The exception that a signal handler raised, or None.");
  py::class_<TakenDeviceTimes>(module, "DeviceTimes")
      .def_readonly("samples_ns", &TakenDeviceTimes::samples_ns, "The device's, per iteration.")
      .def_readonly("error", &TakenDeviceTimes::error, "Why the operation failed, or ''.")
      .def_readonly("interrupt", &TakenDeviceTimes::interrupt,
                    "The exception that a signal handler raised, or None.");
  py::class_<Checked>(module, "Checked", "What the check of an operation said.")
      .def_readonly("checked", &Checked::checked, "The number of outcomes.")
      .def_readonly("passed", &Checked::passed)
      .def_readonly("message", &Checked::message, "What is wrong, or ''.");

  module.def(
      "sample",
      [](const Work& work, double warmup_s, std::uint64_t min_samples, double max_duration_s,
         double precision, double quantile, double confidence, std::uint64_t batch,
         std::uint64_t max_iterations, std::uint64_t max_samples, double spread_s,
         std::optional<Histogram*> histogram, bool stop_on_signal) {
        const SamplerOptions options = {warmup_s,    min_samples, max_duration_s, precision,
                                        quantile,    confidence,  batch,          max_iterations,
                                        max_samples, spread_s};
        // Not locked: it is used by nobody else meanwhile.
        Histogram* const sink = histogram.value_or(nullptr);
        const bool native = PyCapsule_CheckExact(work.ptr()) != 0;
        return native ? sample_native(work, options, sink, stop_on_signal)
                      : sample_callable(work, options, sink, stop_on_signal);
      },
      py::arg("work"), py::kw_only(), py::arg("warmup_s"), py::arg("min_samples"),
      py::arg("max_duration_s"), py::arg("precision"), py::arg("quantile"), py::arg("confidence"),
      py::arg("batch"), py::arg("max_iterations") = 0, py::arg("max_samples") = 0,
      py::arg("spread_s") = 0.0, py::arg("histogram"), py::arg("stop_on_signal"),
      "Samples a capsule (GIL released) or a Python callable.");

  module.def("device_times", &take_device_times, py::arg("operation"), py::kw_only(),
             py::arg("batch"), py::arg("count"), py::arg("max_duration_s"),
             py::arg("stop_on_signal"),
             "The device's times of further iterations; None without a device.");

  module.def(
      "verify",
      [](const py::object& capsule) -> std::optional<Checked> {
        stratoperf_operation& operation = operation_from(capsule);
        if (operation.verify == nullptr) {
          return std::nullopt;
        }
        std::uint64_t checked = 0;
        int failed = 0;
        {
          const py::gil_scoped_release release;
          failed = operation.verify(operation.state, &checked);
        }
        std::string message;
        if (failed != 0) {
          message = operation.message != nullptr ? operation.message(operation.state)
                                                 : "the operation gave no reason";
        }
        return Checked{checked, failed == 0, std::move(message)};
      },
      py::arg("operation"), "Checks the outcome of the timed work; None without a check.");
}

}  // namespace stratoperf::bindings
