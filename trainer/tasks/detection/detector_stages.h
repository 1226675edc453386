#pragma once
// The stages of detectors, for transfer strategies.
#include "trainer/nn/stages.h"
#include "trainer/tasks/detection/models.h"

namespace tune::trainer::detection {

// The body is the network that a detector is built on, as pretrained weights have it: a ResNet's stem and
// four layers, or VGG-16's five blocks of convolutions. All else counts as the head: the pyramid or further
// maps, fc6 and fc7 (which a pretrained VGG-16 has in another form), the scale of conv4_3, the heads
// themselves.
nn::Stages detector_stages(const DetectorModel& model);

}  // namespace tune::trainer::detection
