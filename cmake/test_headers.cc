// Stands for the precompiled headers of cmake/qdt.cmake, which have to belong to a target.
