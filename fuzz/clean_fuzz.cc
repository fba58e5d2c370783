// Lines of JSON through every text operation of cleaning. Only Error may come out; what is kept must be records that
// are read again without a reject, and that the same list no longer changes where it is a fixed point.
#include <cstdlib>

#include "base/error.h"
#include "data/clean/memory_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  using data::clean::Cleaner;
  using data::clean::MemoryRun;
  static const char kAll[] =
      "[[operation]]\nuse='markup'\nurls='drop'\nmails='[M]'\nmail_footers=true\n"
      "[[operation]]\nuse='normalise'\nform='nfkc'\nwidth='all'\nquotes='ascii'\njoiners=true\n"
      "[[operation]]\nuse='fold_script'\nto='tw2sp'\n"
      "[[operation]]\nuse='repeated_lines'\nleast_records=2\nleast_share=0.5\n"
      "[[operation]]\nuse='language'\nkeep=['zh','en','other']\n"
      "[[operation]]\nuse='rules'\nmost_run=50\nmost_repeated=0.9\nleast_stop_words=0.01\n"
      "[[operation]]\nuse='labels'\nconflicts='majority'\n"
      "[[operation]]\nuse='missing'\nfields='n'\nwith='constant'\nvalue=0\n"
      "[[operation]]\nuse='outliers'\nfields='n'\nmethod='mad'\naction='clip'\n"
      "[[operation]]\nuse='encode'\nfields='c'\nmethod='onehot'\n";
  static const char kNormal[] = "[[operation]]\nuse='normalise'\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const MemoryRun run = MemoryRun::Of(kAll, text, 1, true, 4096);
    const MemoryRun again = MemoryRun::Of(kNormal, run.lines);
    if (again.report.unreadable.dropped != 0 || again.records != run.records) std::abort();
    if (run.records + run.rejects.size() != run.report.read) std::abort();
  } catch (const Error&) {
  }
  try {
    const MemoryRun once = MemoryRun::Of(kNormal, text);
    const MemoryRun twice = MemoryRun::Of(kNormal, once.lines);
    if (twice.report.operations[0].tally.changed != 0) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
