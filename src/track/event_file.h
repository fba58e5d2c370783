// TensorBoard's event files: TFRecord framing with masked CRC32C, Event messages of protocol buffers encoded by hand.
//
// A record is length (u64), its CRC (u32), the message, its CRC (u32), little-endian. The fields' numbers are those of
// tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "track/append_file.h"
#include "track/tracking.h"

namespace atelier::track {

// CRC-32C (Castagnoli, RFC 3720 B.4).
uint32_t Crc32c(std::string_view bytes);
// Rotated and offset, as TFRecord stores it.
uint32_t MaskedCrc32c(std::string_view bytes);
std::string TfRecord(std::string_view message);

// Messages: one Event each.
std::string FileVersionEvent(double time);
// Tells TensorBoard to forget what it has read of this run's steps from `step` on.
std::string SessionStartEvent(double time, int64_t step);
std::string ScalarsEvent(double time, int64_t step, const std::vector<std::pair<std::string, double>>& values);
// TensorBoard shows text as Markdown; ours is shown as it is, as a block of code.
std::string TextEvent(double time, int64_t step, std::string_view name, std::string_view text);
std::string ImageEvent(double time, int64_t step, std::string_view name, const PngImage& image);
std::string HistogramEvent(double time, int64_t step, std::string_view name, const HistogramData& histogram);
// What the HPARAMS page shows: the values of `config` (nested keys joined by dots), and that the run ended.
std::string HparamsStartEvent(double time, const Json& config);
std::string HparamsEndEvent(double time, bool succeeded);

// FOLDER/events.out.tfevents.TIME.HOST.PID. TensorBoard reads the files of a folder in the order of their names, so
// TIME is later than that of every file that is there. It begins with `first`.
AppendFile CreateEventFile(const std::string& folder, double time, std::string_view first);

}  // namespace atelier::track
