# Thin: CMake builds (CMakeLists.txt, CMakePresets.json), .ci/deps installs what is missing.
#
#   SANITIZE=1      build and test with the address and undefined behaviour sanitizers
#   PRESET=debug    another preset; its build folder is build-debug
#   CMAKE_FLAGS=    for a first configuration, as -DGRU_CUDA=OFF
#   ARGS=           of `make run` and `make bench`
#   DEVICE=cuda     of `make bench`: measure there
#   DEPS=:          do not look for what is missing
#   V=1             show the compilers' command lines

DEPS = .ci/deps

ifneq ($(filter-out 0,$(SANITIZE)),)
PRESET := sanitize
endif
PRESET ?= default
BUILD := build$(if $(filter-out default,$(PRESET)),-$(PRESET))

C_FILES = $(shell find runtime tests -regex '.*\.\(c\|h\|cpp\|cu\|cuh\)') $(wildcard examples/*.c)
# The inner make, where CMake chose make, has its own -j.
CMAKE_BUILD = MAKEFLAGS=--no-print-directory cmake --build $(BUILD) --parallel $$(nproc) $(if $(V),--verbose)
CLANG_FORMAT = $$(command -v clang-format-14 || echo clang-format)
# It sees no system headers, hence LLONG_MAX.  Suppressed is what it does not understand:
# memory cast to the type in it, NaNs and hexadecimal floats, compound literals, and the
# block that a failed realloc leaves.
CPPCHECK = cppcheck -j $$(nproc) --quiet --error-exitcode=1 --inline-suppr \
  --project=build-lint/compile_commands.json '--file-filter=runtime/*' \
  --enable=warning,performance,portability -DLLONG_MAX=9223372036854775807LL \
  --suppress=invalidPointerCast --suppress=legacyUninitvar --suppress=internalAstError \
  --suppress=incorrectLogicOperator --suppress=memleak:runtime/io/text.c

# For .busted, .ci/specs and the specs.
export GRU_BUILD := $(BUILD)
export GRU_LUA := $(BUILD)/gru-lua
ifeq ($(PRESET),sanitize)
export ASAN_OPTIONS ?= detect_leaks=1
export UBSAN_OPTIONS ?= print_stacktrace=1
# A sanitized module needs a lua5.4 with the sanitizer in it: tests/CMakeLists.txt makes one.
export GRU_STOCK := $(BUILD)/lua5.4
endif

.NOTPARALLEL:
.PHONY: build deps deps-run deps-lint deps-doc configure run test bench cuda-all lint doc format clean help

build: deps-run configure
	@$(CMAKE_BUILD)

deps:
	@$(DEPS)

deps-run:
	@$(DEPS) run

deps-lint:
	@$(DEPS) lint

deps-doc:
	@$(DEPS) doc

# CMake configures again by itself where its files changed; a folder that has a cache
# keeps its generator.
configure:
	@[ -e $(BUILD)/build.ninja ] || [ -e $(BUILD)/Makefile ] || { \
	  [ -e $(BUILD)/CMakeCache.txt ] || ! command -v ninja >/dev/null || ninja=-GNinja; \
	  cmake --preset $(PRESET) $$ninja $(CMAKE_FLAGS); }

run: build
	$(BUILD)/gru-lua examples/jay_lyrics.lua $(ARGS)

# All parts run, whichever fails.
test: deps build
	@status=0; \
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $$(nproc) || status=1; \
	.ci/specs || status=1; \
	exit $$status

# The plugin for all GPUs; fails where kernels that matter run out of registers.
CUDA_ALL = build-cuda-all
cuda-all: deps-run
	@$(MAKE) --no-print-directory configure PRESET=cuda-all
	@MAKEFLAGS=--no-print-directory cmake --build $(CUDA_ALL) --target gru_cuda --clean-first \
	  --parallel $$(nproc) >$(CUDA_ALL)/ptxas.log 2>&1 || { cat $(CUDA_ALL)/ptxas.log; exit 1; }
	@.ci/spills $(CUDA_ALL)/ptxas.log

bench: build
	$(BUILD)/gru-lua tests/bench/run.lua $(if $(DEVICE),--device $(DEVICE)) $(ARGS)

lint: deps-lint
	@$(MAKE) --no-print-directory build PRESET=lint
	@status=0; \
	luacheck --quiet --no-color lua examples tests || status=1; \
	$(CLANG_FORMAT) --dry-run -Werror $(C_FILES) || status=1; \
	$(CPPCHECK) || status=1; \
	exit $$status

# Whatever the preset, into build/doc.
doc: deps-doc
	@ldoc --quiet --fatalwarnings .
	@echo build/doc/index.html

format: deps-lint
	$(CLANG_FORMAT) -i $(C_FILES)

clean:
	rm -rf build build-*

help:
	@echo 'make build     compile into $(BUILD)/ (the default target)'
	@echo 'make run       train on the lyrics: examples/jay_lyrics.lua $$(ARGS)'
	@echo 'make test      C tests, then the specs under lua5.4 and under gru-lua'
	@echo 'make bench     measure, PyTorch beside it: tests/bench/run.lua $$(ARGS)'
	@echo 'make cuda-all  the CUDA plugin for all GPUs, and what its kernels take (nvcc)'
	@echo 'make lint      warnings as errors, luacheck, clang-format, cppcheck'
	@echo 'make doc       the reference of the Lua library, by LDoc, into build/doc/'
	@echo 'make format    clang-format -i over all C files'
	@echo 'make deps      install what is missing (apt)'
	@echo 'make clean     remove all build folders'
	@echo 'with SANITIZE=1, PRESET=debug, V=1, CMAKE_FLAGS=-DGRU_CUDA=OFF'
