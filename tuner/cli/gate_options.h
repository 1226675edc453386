#pragma once
// What commands that promote ask about the gate, and how a person follows and interrupts it.
#include "store/study_store.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/engine/promotion/gate.h"
#include "tuner/engine/promotion/held_models.h"

namespace tune::cli {

// The gate that --require FILE asks for, with --scores FILE of the person's; its steps are told on
// `console.err`. Without --require there is no requirement. Throws what read_requirement() throws. To be used
// while SignalsCaught lives.
engine::GateRules gate_rules(const Parsed& options, Console& console);
// The same for a study's trial: without --require that of its spec, and on the devices that its trials get.
engine::GateRules gate_rules(const Parsed& options, const store::StudyRow& study, Console& console);

// A signal interrupts, and waiting for another process is told on `console.err`.
engine::ModelHooks model_hooks(Console& console);

}  // namespace tune::cli
