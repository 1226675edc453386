#pragma once
// Small building blocks that networks share.
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// A convolution without bias, followed by batch normalisation and ReLU. "0" is the convolution, "1" the
// normalisation.
torch::nn::Sequential conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                     std::int64_t stride);

// He's normal initialisation of a convolution's weight by fan-out (He et al., ICCV 2015), as torchvision's
// ResNet has it.
void initialize_convolutions(torch::nn::Module& module);

// Lays the weights of convolutions out as channels_last, so that no operator has to convert them.
void to_channels_last(torch::nn::Module& module);

}  // namespace tune::trainer::nn
