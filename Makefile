# The front door. Each target does all that it needs: on a fresh machine `make demo` and `make test`
# install, build and run.

JOBS ?= $(shell nproc)

.PHONY: help setup build demo check test test-full lint format fuzz bench bench-micro bench-load test-docker install \
  clean setup-windows windows test-windows windows-package setup-packages deb repo test-packaging

help:
	@echo "make setup        install every dependency (Debian 12 or 13; root or sudo)"
	@echo "make build        build/release/qdt-server and build/release/qdt-client"
	@echo "make demo         see it work: four hosts in network namespaces, real traffic (root)"
	@echo "make check        before each commit: style, unit tests, some of the namespace tests (root)"
	@echo "make test         units, simulator, the programs in network namespaces; 15 minutes (root)"
	@echo "make test-full    all of that in every form, sanitizers, Windows by Wine, packages (root)"
	@echo "make lint         clang-format, clang-tidy, shellcheck"
	@echo "make format       let clang-format rewrite the sources"
	@echo "make fuzz         each fuzz target for a minute (FUZZ_SECONDS=60)"
	@echo "make bench        compare with other VPNs (root): VPNS=\"qdt wireguard-go\" ROUNDS=3 ..."
	@echo "make bench-micro  what the parts of a packet's way cost"
	@echo "make bench-load   what a server of ten thousand sessions costs (root): ROWS=\"sessions churn\" ..."
	@echo "make test-docker  build the Dockerfile's image without a Docker daemon and run it (root)"
	@echo "make windows      build/windows/qdt-client.exe, for Windows 10 and 11, by cross-compiling"
	@echo "make test-windows its tests, run by Wine, and the program itself against the Linux server (root)"
	@echo "make windows-package  a zip and an installer of it, in build/windows"
	@echo "make deb          Debian packages for this system: qdt-server, qdt-client, qdt-tools, in build/deb"
	@echo "make repo         a signed apt repository of them, in build/repo: REPO_KEY=\"a key of gpg's\""
	@echo "make test-packaging  both, and install, run, upgrade and purge the packages in a clean Debian (root)"
	@echo "make install      into PREFIX=/usr/local, with units, manual pages and completions (DESTDIR works)"

setup:
	@scripts/setup.sh

# Only what compiling needs; tests and the demo bring theirs.
build:
	@scripts/setup.sh build
	@scripts/build.sh release qdt-server qdt-client qdt-load

demo: setup build
	@tests/netns/demo.sh

check: setup
	@scripts/test.sh check

test: setup
	@scripts/test.sh

test-full: setup setup-windows setup-packages
	@scripts/test.sh full

lint: setup
	@scripts/lint.sh

format:
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

fuzz: setup
	@scripts/fuzz.sh

bench:
	@scripts/bench.sh

bench-micro:
	@scripts/bench.sh micro

bench-load:
	@scripts/bench.sh load

test-docker:
	@scripts/test-docker.sh

setup-windows:
	@scripts/setup.sh windows

windows: setup-windows
	@scripts/windows-libraries.sh
	@scripts/build.sh windows qdt-client

test-windows: setup setup-windows
	@scripts/test-windows.sh

windows-package: windows
	@scripts/windows-package.sh

setup-packages:
	@scripts/setup.sh packages

deb: setup-packages
	@scripts/deb.sh

test-packaging: setup-packages
	@scripts/test-packaging.sh

repo: setup-packages
	@scripts/deb-repo.sh

install: build
	@cmake --install build/release $(if $(PREFIX),--prefix $(PREFIX))
	@[ -n "$(DESTDIR)" ] || getent passwd qdt >/dev/null || \
	  useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin qdt

clean:
	rm -rf build
