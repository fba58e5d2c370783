// What processes that train one model together tell each other. Alone() is one process; MpiCollective() is started by
// mpirun. Every process calls the same functions in the same order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace atelier::train {

class Collective {
 public:
  virtual ~Collective() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Begins to add `values` up over all processes, in place; they are not to be touched before Finish. Several may be
  // under way; they go on while the caller computes.
  virtual void BeginSum(std::span<float> values) = 0;
  // Until all that was begun is done. Throws kUnavailable where another process is gone.
  virtual void Finish() = 0;
  // Adds a few numbers up, at once.
  virtual void Sum(std::span<double> values) = 0;
  // Those of process 0 for all.
  virtual void Broadcast(std::span<float> values) = 0;

  double SumOf(double value) {
    Sum({&value, 1});
    return value;
  }
};

std::unique_ptr<Collective> Alone();

// Whether this process was started by mpirun, with others or alone.
bool StartedByMpi();
// REQUIRES: StartedByMpi(). Throws kUnsupported in a build without MPI. MPI ends with the object; where that dies by an
// exception, all processes of the job are ended.
std::unique_ptr<Collective> MpiCollective();

}  // namespace atelier::train
