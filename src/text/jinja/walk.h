// What eval.cc and exec.cc share about walking the tree.
#pragma once

#include <string_view>

#include "text/jinja/renderer.h"

namespace atelier::text::jinja {

class Renderer::Level {
 public:
  explicit Level(Renderer* renderer) : renderer_(renderer) {
    if (renderer_->depth_ >= kMaxLevels) Exhausted("the template calls itself, or nests, too deeply");
    ++renderer_->depth_;
  }
  ~Level() { --renderer_->depth_; }

 private:
  Renderer* renderer_;
};

// Makes a scope the current one for as long as it lives.
class Renderer::InScope {
 public:
  InScope(Renderer* renderer, ScopePtr scope) : renderer_(renderer), before_(std::move(renderer->scope_)) {
    renderer_->scope_ = std::move(scope);
  }
  ~InScope() { renderer_->scope_ = std::move(before_); }

 private:
  Renderer* renderer_;
  ScopePtr before_;
};

// a op b for == != < <= > >= in, not in.
bool Related(Renderer& renderer, std::string_view op, const Value& a, const Value& b);

}  // namespace atelier::text::jinja
