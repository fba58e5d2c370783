#include "runtime/merge.h"

#include <map>

#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "runtime/convert_rows.h"
#include "runtime/quantise.h"

namespace atelier::runtime {

void CheckAdapter(const artefact::GgufFile& file, const artefact::Adapter& adapter) {
  const std::string_view architecture = file.String("general.architecture");
  const auto refuse = [&](const std::string& why) {
    throw Error(Code::kConflict, Cat("the adapter ", Quote(adapter.name), " does not fit ", file.path(), ": ", why));
  };
  if (adapter.architecture != architecture) {
    refuse(Cat("it is for ", adapter.architecture, ", the model is ", architecture));
  }
  for (const artefact::LoraPair& pair : adapter.pairs) {
    const artefact::TensorInfo* tensor = file.Find(pair.tensor);
    if (tensor == nullptr) refuse(Cat("the model has no tensor ", Quote(pair.tensor)));
    if (tensor->dim(0) != pair.ins || tensor->dim(1) != pair.outs || tensor->shape.size() != 2) {
      refuse(Cat(Quote(pair.tensor), " is [", tensor->dim(0), ", ", tensor->dim(1), "], not [", pair.ins, ", ",
                 pair.outs, "]"));
    }
  }
}

void MergeAdapter(const artefact::GgufFile& file, const artefact::Adapter& adapter, const MergeOptions& options,
                  const std::string& to, const ProgressFn& progress) {
  file.RequireSupportedTypes();
  CheckAdapter(file, adapter);
  if (SameFile(file.path(), to)) throw Error(Code::kConflict, Cat(to, " is the model itself"), "name another file");
  std::map<std::string_view, const artefact::LoraPair*> pairs;
  for (const artefact::LoraPair& pair : adapter.pairs) pairs[pair.tensor] = &pair;
  ThreadPool pool(options.threads > 0 ? options.threads : ThreadPool::DefaultThreads());
  artefact::GgufWriter writer;
  std::vector<std::string_view> except;
  if (!options.name.empty()) except.emplace_back("general.name");
  if (!options.licence.empty()) except.emplace_back("general.license");
  if (options.format) except.emplace_back("general.file_type");  // it is no longer what its label says
  writer.CopyKeys(file, except);
  if (!options.name.empty()) writer.Set("general.name", options.name);
  if (!options.licence.empty()) writer.Set("general.license", options.licence);
  if (!file.Has("general.quantization_version")) writer.Set("general.quantization_version", uint32_t{2});
  uint64_t done = 0;
  for (const artefact::TensorInfo& tensor : file.tensors()) {
    const auto found = pairs.find(tensor.name);
    if (found == pairs.end()) {
      writer.CopyTensor(tensor);
      continue;
    }
    const artefact::LoraPair& pair = *found->second;
    const kernel::Format from = FormatOf(tensor.type);
    const kernel::Format into = FittingFormat(options.format.value_or(from), pair.ins);
    const float scale = static_cast<float>(adapter.scale(pair));
    writer.AddTensor(tensor.name, TypeOf(into), tensor.shape, [&, into, scale] {
      const auto add = [&](int64_t row, float* x) {
        for (int64_t r = 0; r < pair.rank; ++r) {
          const float b = scale * pair.b[static_cast<size_t>(row * pair.rank + r)];
          const float* a = pair.a.data() + r * pair.ins;
          for (int64_t i = 0; i < pair.ins; ++i) x[i] += b * a[i];
        }
      };
      std::string bytes = ConvertRows(file, tensor, {.to = into, .change = add}, &pool);
      if (progress) progress(++done, pairs.size(), tensor.name);
      return bytes;
    });
  }
  writer.Write(to);
}

}  // namespace atelier::runtime
