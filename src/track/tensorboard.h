// The sink that writes TensorBoard's event files (event_file.h): `tensorboard --logdir RUNS` shows them while they
// grow.
#pragma once

#include <memory>
#include <optional>

#include "track/tracking.h"

namespace atelier::track {

// Every start of a run is a file of its own, as TensorBoard expects, and begins with a SessionLog START. A resumed
// run's is of the step after `resume`: TensorBoard forgets what the run told of it and later ones (at the second START
// that it sees, so the first start needs one, too).
std::unique_ptr<Sink> OpenTensorBoard(const TrackedRun& run, double time, std::optional<int64_t> resume);

}  // namespace atelier::track
