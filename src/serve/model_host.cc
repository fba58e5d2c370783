#include "serve/model_host.h"

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/str.h"
#include "runtime/local_generator.h"

namespace atelier::serve {

ModelHost::ModelHost(std::vector<artefact::ModelEntry> registered, ModelLoader load) : load_(std::move(load)) {
  Replace(std::move(registered));
}

void ModelHost::Clear() {
  Replace({});
  while (!retired_.empty()) {
    Sweep();
    if (!retired_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void ModelHost::Sweep() {
  std::vector<std::shared_ptr<artefact::Generator>> unused;  // destroyed after the lock is gone
  const std::lock_guard lock(mutex_);
  for (auto& model : retired_) {
    if (model.use_count() == 1) unused.push_back(std::move(model));
  }
  std::erase(retired_, nullptr);
}

std::shared_ptr<artefact::Generator> ModelHost::Load(const artefact::ModelEntry& entry) {
  if (!entry.adapter) return load_(entry);
  return runtime::WithAdapter(Get(entry.adapter->model), entry);
}

std::shared_ptr<artefact::Generator> ModelHost::Get(const std::string& name) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto at = slots_.find(name);
    if (at == slots_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, slot] : slots_) names.push_back(known);
      throw Error(Code::kNotFound, Cat("the model ", Quote(name), " does not exist"),
                  names.empty() ? "this studio has registered none" : Cat("there are: ", Join(names, ", ")));
    }
    if (at->second.model != nullptr) return at->second.model;
    if (at->second.loading) {
      loaded_.wait(lock);
      continue;
    }
    at->second.loading = true;
    const artefact::ModelEntry entry = at->second.entry;
    lock.unlock();
    std::shared_ptr<artefact::Generator> model;
    std::exception_ptr error;
    try {
      model = Load(entry);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (const auto again = slots_.find(name);
        again != slots_.end() && again->second.entry.manifest.sha256 == entry.manifest.sha256) {
      again->second.model = model;
      again->second.loading = false;
    } else if (model != nullptr) {
      retired_.push_back(model);  // swapped while it was loaded
    }
    loaded_.notify_all();
    if (error) std::rethrow_exception(error);
    return model;
  }
}

std::vector<artefact::ModelEntry> ModelHost::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<artefact::ModelEntry> list;
  for (const auto& [name, slot] : slots_) list.push_back(slot.entry);
  return list;
}

std::map<std::string, std::shared_ptr<artefact::Generator>> ModelHost::Loaded() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<artefact::Generator>> loaded;
  for (const auto& [name, slot] : slots_) {
    if (slot.model != nullptr && !slot.entry.adapter) loaded.emplace(name, slot.model);
  }
  return loaded;
}

void ModelHost::Replace(std::vector<artefact::ModelEntry> registered) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Slot> next;
  for (artefact::ModelEntry& entry : registered) {
    Slot slot{std::move(entry), nullptr, false};
    const auto old = slots_.find(slot.entry.name);
    if (old != slots_.end() && old->second.entry.manifest.sha256 == slot.entry.manifest.sha256) {
      slot.model = old->second.model;
      slot.loading = old->second.loading;
    }
    std::string name = slot.entry.name;
    next.emplace(std::move(name), std::move(slot));
  }
  for (auto& [name, slot] : slots_) {
    const auto kept = next.find(name);
    if (slot.model != nullptr && (kept == next.end() || kept->second.model != slot.model))
      retired_.push_back(std::move(slot.model));
  }
  slots_ = std::move(next);
  loaded_.notify_all();
}

}  // namespace atelier::serve
