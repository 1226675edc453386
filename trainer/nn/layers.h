#pragma once
// Small building blocks that networks share.
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// A convolution without bias, followed by batch normalisation and ReLU. "0" is the convolution, "1" the
// normalisation.
torch::nn::Sequential conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                     std::int64_t stride);

// A map that SSD adds after those of its backbone (Liu et al., ECCV 2016, figure 2): a 1x1 convolution to
// `squeeze` channels and one of kernel x kernel to `out`, each with a bias and followed by ReLU.
struct ExtraMap {
  std::int64_t squeeze, out, kernel, stride, padding;
};
// "0" is the first convolution, "2" the second.
torch::nn::Sequential extra_block(std::int64_t in, const ExtraMap& map);

// He's normal initialisation of a convolution's weight by fan-out (He et al., ICCV 2015), as torchvision's
// ResNet has it. Biases become 0.
void initialize_convolutions(torch::nn::Module& module);
// Glorot's uniform initialisation (Glorot & Bengio, AISTATS 2010), as torchvision's SSD has it. Biases become
// 0.
void initialize_convolutions_xavier(torch::nn::Module& module);

// Lays the weights of convolutions out as channels_last, so that no operator has to convert them.
void to_channels_last(torch::nn::Module& module);

}  // namespace tune::trainer::nn
