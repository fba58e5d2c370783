// What `train` and `tune` do alike: a run in a child process, told as it goes, and its page.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "artefact/manifest.h"
#include "base/json.h"

namespace atelier::app {

struct TrainingRun {
  std::string name, config, folder;                      // the configuration's path, and the run's folder
  std::string language;                                  // of the page; "": by LANG
  std::string name_by = "run.name";                      // how a person gives it another name
  std::string or_else = "name another folder by --run";  // what a person does who does not go on with the one there
  int processes = 1;
  bool resume = false;
};

// Where a run lies that is not told another place: runs/NAME in the studio, or here.
std::string RunFolder(const StudioHere& here, const std::string& name);
// Throws kConflict where the folder holds a run that is not resumed, or the studio has the name from elsewhere.
void CheckRun(const StudioHere& here, const TrainingRun& run);
// A text as TOML's basic string, and several as an array, for configurations that are written here.
std::string TomlText(const std::string& text);
std::string TomlTexts(const std::vector<std::string>& texts);
// What the registry knows a run's model by.
std::string SourceOfRun(const std::string& folder);

// Runs it to its end, or until Ctrl-C; events go to the terminal. Returns what the run said at its end ("ending",
// "step", "best_step" ...) with "run" added.
Json RunTraining(const StudioHere& here, const TrainingRun& run, const Globals& globals);
// Set by Ctrl-C once RunTraining has begun.
const std::atomic<bool>& TrainingInterrupted();

// A file that was made of the run becomes its model: moved to models/NAME in a studio and registered there, else beside
// the run. Its name or path. `base`: what it was made of, whose licence and terms it has; or null.
std::string KeepModelOfRun(StudioHere& here, const TrainingRun& run, const std::string& fresh,
                           const artefact::Manifest* base);
// The run's best checkpoint, else its last.
std::string BestOfRun(const TrainingRun& run);
// BestOfRun as a model alone, in a file of this ending, kept as KeepModelOfRun says.
std::string ExportRun(StudioHere& here, const TrainingRun& run, const std::string& ending,
                      const artefact::Manifest* base);
// Where KeepModelOfRun wants the file, so that moving it is a rename.
std::string FreshModelPath(const StudioHere& here, const TrainingRun& run, const std::string& ending);

// The run's page, written when all else is done; its path.
std::string ReportOfRun(const TrainingRun& run);
// The end for people.
void PrintTrainingEnd(const Json& done, const std::string& model);

}  // namespace atelier::app
