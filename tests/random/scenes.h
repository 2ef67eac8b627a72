/* All kinds of scenes: scenes.def says how often each comes. */
#ifndef DLW_TESTS_RANDOM_SCENES_H
#define DLW_TESTS_RANDOM_SCENES_H

#include "tests/random/program.h"

#define SCENE(name, weight, ends) scene scene_##name;
#include "tests/random/scenes.def"
#undef SCENE

#endif
