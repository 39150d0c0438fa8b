# corral.  make | make test | make MODE=asan test | make MODE=rel | make fuzz T=fuzz_frame SECS=60 | make MODE=cov cov
# Each MODE builds in its own folder, so switching never needs a clean.
MODE ?= dev
B    := build/$(MODE)
# Any CPython from 3.11 on: make PYTHON_EMBED=python-3.13-embed
PYTHON_EMBED ?= python-3.11-embed
NODE_PKGS    := libseccomp libuv jansson libcurl libcrypto libssl sqlite3 zlib
WORKER_PKGS  := javascriptcoregtk-4.1 $(PYTHON_EMBED) libseccomp glib-2.0 icu-uc zlib libbrotlidec libbrotlienc libcrypto
STORE_PKGS   := sqlite3 libseccomp

CC.dev  := gcc
F.dev   := -Og -g3
CC.rel  := gcc
F.rel   := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CC.asan := clang
F.asan  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CC.tsan := clang
F.tsan  := -O1 -g -fsanitize=thread
CC.cov  := gcc
F.cov   := -O0 -g --coverage
CC.fuzz := clang
F.fuzz  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CC      := $(or $(strip $(CC.$(MODE))),$(error MODE=$(MODE)? one of dev rel asan tsan cov fuzz))
# lld takes less than half the time over what sanitizers add to 150 programs.
LINK_WITH = $(CC) $(F.$(MODE)) $(if $(filter clang,$(CC)),-fuse-ld=lld)
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wimplicit-fallthrough
LLHTTP  := /usr/share/llhttp
SYSTEM  := $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(NODE_PKGS) $(WORKER_PKGS) $(STORE_PKGS))) -isystem /usr/share/include/llhttp
CFLAGS  := -std=c11 -D_GNU_SOURCE -Isrc -MMD -MP -fvisibility=hidden -fPIE $(WARN) $(F.$(MODE)) $(SYSTEM)
NODE_LIBS   := $(shell pkg-config --libs $(NODE_PKGS))
# CPython is linked into corral-worker from its static library, where there is one: a quarter faster than the shared one
# (Debian optimizes the static one with profiles, as its python3), and it wants a program at a fixed address, as python3 is.
# All of it is exported, for extension modules.  PYTHON_LINK=shared: the other way, which the sanitizers' modes keep tested.
PYTHON_NAME    := $(patsubst %-embed,%,$(subst python-,python,$(PYTHON_EMBED)))
PYTHON_ARCHIVE := $(firstword $(wildcard $(addsuffix /lib/$(PYTHON_NAME)/config-*/lib$(PYTHON_NAME).a,$(shell pkg-config --variable=prefix $(PYTHON_EMBED)))))
PYTHON_LINK    ?= $(if $(and $(PYTHON_ARCHIVE),$(filter dev rel,$(MODE))),static,shared)
PYTHON.shared  := $(shell pkg-config --libs $(PYTHON_EMBED))
PYTHON.static  := -no-pie -rdynamic -Wl,--whole-archive $(B)/libpython.a -Wl,--no-whole-archive \
                  $(if $(PYTHON_ARCHIVE),$(sort $(shell sed -nE 's/^(LIBS|LIBM|LOCALMODLIBS|BASEMODLIBS)=//p' $(dir $(PYTHON_ARCHIVE))Makefile | grep -o -- '-l[^ ]*')))
WORKER_LIBS := $(shell pkg-config --libs $(filter-out $(PYTHON_EMBED),$(WORKER_PKGS))) $(PYTHON.$(PYTHON_LINK)) -ldl
WORKER_DEPS := $(B)/libworker.a $(if $(filter static,$(PYTHON_LINK)),$(B)/libpython.a)
STORE_LIBS  := $(shell pkg-config --libs $(STORE_PKGS)) -lpthread -lm

STORE_ROOMS  := base row wire box store
WORKER_ROOMS := base text row wire box realm worker
NODE_ROOMS   := base text row wire box loop kin project packages link http catalog herd keeper service front live api cli
source  = $(patsubst %.c,$(B)/%.o,$(wildcard $(foreach r,$(1),src/$(r)/*.c src/$(r)/*/*.c)))
NODE_O   := $(call source,$(NODE_ROOMS)) $(patsubst %,$(B)/llhttp/%.o,api http llhttp) $(B)/builtin.o
WORKER_O := $(call source,$(WORKER_ROOMS)) $(B)/sdk.o
STORE_O  := $(call source,$(STORE_ROOMS))
# Modules of the platform that workers import travel inside corral, which links them; the rest inside corral-worker.
BUILTIN  := $(sort $(shell find sdk/node sdk/cloudflare -name '*.js' 2>/dev/null))
SDK      := $(filter-out $(BUILTIN),$(sort $(shell find sdk -name '*.js' -o -name '*.py')))
SDK_PY   := $(filter sdk/python/%.py,$(SDK))
# ThreadSanitizer cannot follow engines that were built without it, nor a fork of threads: node side only.
# But strand.c, which needs neither.
UNIT.tsan := $(foreach r,$(filter-out base text row wire,$(WORKER_ROOMS)),test/unit/$(r)_%.c)
UNIT     := $(sort $(patsubst test/unit/%.c,$(B)/t/%,test/unit/realm_strand.c \
              $(filter-out test/unit/test.c $(UNIT.$(MODE)),$(wildcard test/unit/*.c))))
FUZZ     := $(patsubst test/fuzz/%.c,$(B)/%,$(wildcard test/fuzz/*.c))
.SECONDARY:
.DELETE_ON_ERROR:
all: $(B)/corral $(B)/corral-worker $(B)/corral-store

# All symbols are bound when a program starts: else each instance binds what it calls first, and their table stays writable.
NOW := -Wl,-z,relro,-z,now
$(B)/corral: $(B)/src/main/corral.o $(B)/libnode.a
	$(LINK_WITH) $(NOW) -pie $^ $(NODE_LIBS) -o $@
$(B)/corral-worker: $(B)/src/main/corral_worker.o $(WORKER_DEPS) $(B)/python.link
	$(LINK_WITH) $(NOW) -pie $(filter-out %/libpython.a %.link,$^) $(WORKER_LIBS) -o $@
	@test $(PYTHON_LINK) = shared || ! ldd $@ | grep libpython || { echo '$@ would have two interpreters' >&2; exit 1; }
$(B)/corral-store: $(B)/src/main/corral_store.o $(B)/libstore.a
	$(LINK_WITH) $(NOW) -pie $^ $(STORE_LIBS) -o $@
$(B)/libnode.a: $(NODE_O)
	@rm -f $@
	ar rcs $@ $^
$(B)/libworker.a: $(WORKER_O)
	@rm -f $@
	ar rcs $@ $^
$(B)/libstore.a: $(STORE_O)
	@rm -f $@
	ar rcs $@ $^

# src/realm/py/locks.c has a PyThread_get_thread_ident() for extension modules; the interpreter calls its own.
$(B)/libpython.a: $(PYTHON_ARCHIVE) Makefile
	@mkdir -p $(@D)
	objcopy --redefine-sym PyThread_get_thread_ident=python_thread_ident $< $@
$(B)/python.link: always
	@mkdir -p $(@D)
	@echo '$(PYTHON_LINK) $(PYTHON_EMBED)' | cmp -s - $@ || echo '$(PYTHON_LINK) $(PYTHON_EMBED)' > $@

# A unit test is test/unit/ROOM_FILE.c; the room says which side it links.
$(B)/t/realm_% $(B)/t/worker_% $(B)/t/box_%: LINK = $(B)/libworker.a $(WORKER_LIBS)
$(B)/t/store_%: LINK = $(B)/libstore.a $(STORE_LIBS)
$(B)/t/realm_strand: LINK = $(B)/libworker.a
LINK = $(B)/libnode.a $(NODE_LIBS)
$(B)/t/%: $(B)/test/unit/%.o $(B)/test/unit/test.o $(B)/libnode.a $(WORKER_DEPS) $(B)/libstore.a
	@mkdir -p $(@D)
	$(LINK_WITH) -pie $(filter %.o,$^) $(LINK) -o $@
$(B)/t/link_link $(B)/t/link_hostile: | $(B)/corral-worker
$(B)/t/service_d1: | $(B)/corral-store
$(B)/t/live_live $(B)/t/live_router: | $(B)/corral-worker $(B)/corral-store
$(B)/fuzz_sql $(B)/fuzz_split $(B)/fuzz_database: LINK = $(B)/libstore.a $(STORE_LIBS)
$(B)/fuzz_flate: $(B)/src/realm/flate.o
$(B)/fuzz_flate: LINK = $(B)/src/realm/flate.o $(B)/libnode.a $(NODE_LIBS) -lbrotlidec -lbrotlienc
$(B)/fuzz_key: $(B)/src/realm/crypto/key.o
$(B)/fuzz_key: LINK = $(B)/src/realm/crypto/key.o $(B)/libnode.a $(NODE_LIBS)
$(B)/fuzz_certificate: $(B)/src/realm/crypto/certificate.o
$(B)/fuzz_certificate: LINK = $(B)/src/realm/crypto/certificate.o $(B)/libnode.a $(NODE_LIBS)
$(B)/fuzz_%: $(B)/test/fuzz/fuzz_%.o $(B)/libnode.a $(B)/libstore.a
	$(LINK_WITH) -fsanitize=fuzzer -pie $< $(LINK) -o $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@
$(B)/llhttp/%.o: $(LLHTTP)/%.c Makefile
	@mkdir -p $(@D)
	$(CC) -O2 -fPIE -w $(SYSTEM) -c $< -o $@
# Everything else under sdk/ travels inside corral-worker.
# The list is for files that were moved or deleted: they leave nothing that is newer.
$(B)/sdk.list: always
	@mkdir -p $(@D)
	@echo '$(SDK)' | cmp -s - $@ || echo '$(SDK)' > $@
$(B)/sdk.S: $(SDK) $(B)/sdk.list $(B)/sdk.code tools/embed Makefile
	@mkdir -p $(@D)
	tools/embed $(SDK) $(addprefix $(B)/,$(SDK_PY:.py=.pyc)) > $@
# Python's part of it as bytecode, too: made by the interpreter that will run it.
$(B)/compile-sdk: tools/compile-sdk.c Makefile $(B)/python.link
	$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O1 $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(PYTHON_EMBED))) $< $(PYTHON.shared) -o $@
$(B)/sdk.code: $(SDK_PY) $(B)/sdk.list $(B)/compile-sdk
	$(B)/compile-sdk $(B) $(SDK_PY)
	@touch $@
$(B)/sdk.o: $(B)/sdk.S
	$(CC) -c $< -o $@
$(B)/builtin.list: always
	@mkdir -p $(@D)
	@echo '$(BUILTIN)' | cmp -s - $@ || echo '$(BUILTIN)' > $@
$(B)/builtin.S: $(BUILTIN) $(B)/builtin.list tools/embed Makefile
	tools/embed $(BUILTIN) | sed 's/sdk_files/builtin_files/' > $@
$(B)/builtin.o: $(B)/builtin.S
	$(CC) -c $< -o $@

rooms: ; @tools/check-rooms
test: rooms all $(UNIT)
	@tools/run-unit $(UNIT)
units: $(UNIT)
fuzzers: $(FUZZ)
T ?= fuzz_frame
fuzz:
	@$(MAKE) -s MODE=fuzz build/fuzz/$(T)
	@mkdir -p build/fuzz/corpus/$(T)
	build/fuzz/$(T) -max_total_time=$(or $(SECS),10) $(addprefix -dict=,$(wildcard test/fuzz/$(T).dict)) build/fuzz/corpus/$(T) $(wildcard test/fuzz/corpus/$(T))
cov: test
	@find $(B)/src -name '*.gcda' -exec gcov -n {} + 2>/dev/null | awk -F"'" '/^File .src/ { f = $$2 } /^Lines/ && f { print $$0, f; f = "" }' | sort -t: -k2n
clean: ; rm -rf build
# make MODE=rel install [PREFIX=/usr/local] [DESTDIR=...]: the programs side by side, and a unit for systemd (docs/deploy.md).
PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system
	install $(B)/corral $(B)/corral-worker $(B)/corral-store $(DESTDIR)$(PREFIX)/bin
	sed 's|@PREFIX@|$(PREFIX)|' script/corral.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/corral.service
.PHONY: always all install rooms test units fuzzers fuzz cov clean
-include $(shell find $(B) -name '*.d' 2>/dev/null)
