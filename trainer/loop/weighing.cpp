#include "trainer/loop/weighing.h"

#include <set>

namespace tune::trainer::loop {

bool weighs(const std::string& hyperparameter) {
  static const std::set<std::string> names{
      // Of every plan, under our names and those of other products.
      "epochs", "num_train_epochs", "max_steps", "batch_size", "mini_batch_size",
      "per_device_train_batch_size", "eval_batch_size", "per_device_eval_batch_size", "accumulate",
      "gradient_accumulation_steps", "eval_steps", "optimizer", "optim", "ema_decay",
      // Of networks, and of what of them is trained.
      "image_size", "freeze", "train_stages", "gradual_unfreezing", "cache_features", "feature_views",
      "train_only_top_layer", "use_lora", "lora_config.r", "lora_r", "lora_config.target_modules",
      // Of texts.
      "max_length", "max_seq_length", "packing", "gradient_checkpointing", "attn_implementation", "bf16",
      "predict_with_generate", "max_new_tokens", "generated_examples"};
  return names.contains(hyperparameter);
}

}  // namespace tune::trainer::loop
