#include "text/jinja.h"

#include "base/error.h"
#include "base/str.h"
#include "text/jinja/parser.h"
#include "text/jinja/renderer.h"

namespace atelier::text {

struct Template::Impl {
  std::string name;
  jinja::Tree tree;
};

Template::Template(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Template Template::Parse(std::string_view source, std::string name) {
  auto impl = std::make_unique<Impl>();
  impl->name = std::move(name);
  try {
    impl->tree = jinja::ParseTemplate(source);
  } catch (const Error& error) {  // its message begins with the line
    throw Error(error.code(), Cat(impl->name, ":", error.what()), error.hint());
  }
  return Template(std::move(impl));
}

std::string Template::Render(const Json& context, const RenderOptions& options) const {
  jinja::Renderer renderer(impl_->tree, context, options);
  try {
    return renderer.Run();
  } catch (const Error& error) {
    throw error.Within(Cat(impl_->name, ":", renderer.line()));
  }
}

}  // namespace atelier::text
