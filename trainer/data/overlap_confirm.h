#pragma once
// The fine half of the search for overlaps: tells crops of one surface from surfaces that look alike. Used by
// overlap_search.cpp alone.
#include <optional>
#include <vector>

#include "trainer/data/overlap.h"
#include "trainer/data/overlap_coarse.h"

namespace tune::trainer::data {

// How well two planes agree in phase over the rectangle that they share at (dx, dy): the mean of cos(phase of
// one - phase of the other) over all frequencies between 0.04 and 0.3 cycles a pixel (the shared parts under
// a Hann window), each counting alike. 1 for the same surface, about 0 for others; 99 of 100 overlaps
// of real steel photographs have 0.6 and more. Lines that look alike correlate at up to 0.97, but agree only
// at the few frequencies across them, where nearly all of their energy lies: 0.4 was the most among 4,000
// pairs of distant photographs. (Phase correlation: Kuglin and Hines, 1975.)
double coherence(const Plane& first, const Plane& second, int dx, int dy);

// An image as it is compared: high-passed, and without what others of its set show in the same place.
struct ComparedImage {
  const Plane& whole;
  const Plane& own;  // of the same size
};

// The overlap that one of the peaks stands for, in pixels of the planes, if any does. The peaks are those of
// planes of half the size. Images may look alike for what their whole set shows: unless they agree like
// copies, their own parts have to overlap too, and strongly where they lie on each other with hardly a shift.
std::optional<Overlap> confirm(const ComparedImage& first, const ComparedImage& second,
                               const std::vector<Peak>& peaks);

}  // namespace tune::trainer::data
