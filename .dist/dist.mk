# What leaves this tree. What is installed lies in report/command/share/ or is made by `dlwatch --generate`.
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
ZSHDIR ?= $(DATADIR)/zsh/site-functions
SHARE := report/command/share
CMAKEDIR = $(LIBDIR)/cmake/dlwatch
HEADERS := dlwatch.h $(patsubst interpose/include/%,%,$(wildcard interpose/include/dlwatch/*.h))
SHARED := $(filter-out %.in python,$(notdir $(wildcard $(SHARE)/*)))

# Each place that a file is installed to; `uninstall` removes them and no other.
INSTALLED = $(BINDIR)/dlwatch $(LIBDIR)/libdlwatch.so $(addprefix $(INCLUDEDIR)/,$(HEADERS)) \
	$(LIBDIR)/pkgconfig/dlwatch.pc $(CMAKEDIR)/dlwatch-config.cmake $(CMAKEDIR)/dlwatch-config-version.cmake \
	$(MANDIR)/man1/dlwatch.1 $(MANDIR)/man7/libdlwatch.7 $(DATADIR)/bash-completion/completions/dlwatch \
	$(ZSHDIR)/_dlwatch $(DATADIR)/fish/vendor_completions.d/dlwatch.fish $(addprefix $(DATADIR)/dlwatch/,$(SHARED) python/dlwatch.py)
OWN_FOLDERS = $(INCLUDEDIR)/dlwatch $(CMAKEDIR) $(DATADIR)/dlwatch/python $(DATADIR)/dlwatch

# From the CMake files to a folder, so that the tree can be moved.
up = '"$$(realpath -ms --relative-to=$(CMAKEDIR) $(1))"'
fill = sed 's|@PREFIX@|$(PREFIX)|g; s|@BINDIR@|$(BINDIR)|g; s|@LIBDIR@|$(LIBDIR)|g; s|@INCLUDEDIR@|$(INCLUDEDIR)|g; \
	s|@VERSION@|$(VERSION)|g; s|@TO_BIN@|$(call up,$(BINDIR))|g; s|@TO_INCLUDE@|$(call up,$(INCLUDEDIR))|g; \
	s|@TO_LIB@|$(call up,$(LIBDIR))|g' $(SHARE)/$(1).in >$(DESTDIR)$(2)/$(1)
# A command that runs here, where the one that is installed is another machine's.
GENERATOR ?= $(O)/dlwatch
generate = $(GENERATOR) --generate $(1) >$(DESTDIR)$(2)

.PHONY: install uninstall
install: all
	install -d $(sort $(dir $(addprefix $(DESTDIR),$(INSTALLED))))
	install -m 755 $(O)/dlwatch $(DESTDIR)$(BINDIR)
	install -m 644 $(O)/libdlwatch.so $(DESTDIR)$(LIBDIR)
	for header in $(HEADERS); do install -m 644 interpose/include/$$header $(DESTDIR)$(INCLUDEDIR)/$$header || exit; done
	install -m 644 $(addprefix $(SHARE)/,$(SHARED)) $(DESTDIR)$(DATADIR)/dlwatch
	install -D -m 644 $(SHARE)/python/dlwatch.py $(DESTDIR)$(DATADIR)/dlwatch/python/dlwatch.py
	$(call fill,dlwatch.pc,$(LIBDIR)/pkgconfig)
	$(call fill,dlwatch-config.cmake,$(CMAKEDIR))
	$(call fill,dlwatch-config-version.cmake,$(CMAKEDIR))
	$(call generate,dlwatch.1,$(MANDIR)/man1/dlwatch.1)
	$(call generate,libdlwatch.7,$(MANDIR)/man7/libdlwatch.7)
	$(call generate,dlwatch.bash,$(DATADIR)/bash-completion/completions/dlwatch)
	$(call generate,dlwatch.zsh,$(ZSHDIR)/_dlwatch)
	$(call generate,dlwatch.fish,$(DATADIR)/fish/vendor_completions.d/dlwatch.fish)
	$(Q)$(TELL_LOADER)

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	for folder in $(addprefix $(DESTDIR),$(OWN_FOLDERS)); do [ ! -d $$folder ] || rmdir $$folder || exit; done
	$(Q)[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || PATH="$$PATH:/usr/sbin:/sbin" ldconfig

# The loader finds a library by its name alone only where ldconfig was told of it.
define TELL_LOADER
PATH="$$PATH:/usr/sbin:/sbin"; \
if [ -n "$(DESTDIR)" ]; then \
	echo 'install: once it lies in $(LIBDIR), run (as root): ldconfig'; \
elif [ "$$(id -u)" != 0 ] || ! ldconfig || ! ldconfig -p | grep -qF '$(LIBDIR)/libdlwatch.so'; then \
	echo 'install: the loader does not find it by name; preload $(LIBDIR)/libdlwatch.so'; \
fi
endef

# The last commit, as one file that is the same wherever it is made.
ARCHIVE := dlwatch-$(VERSION)
.PHONY: dist
dist:
	@mkdir -p $(O)
	$(Q)git archive --format=tar --prefix=$(ARCHIVE)/ HEAD | gzip -9n >$(O)/$(ARCHIVE).tar.gz
	@echo '$(O)/$(ARCHIVE).tar.gz'

# A command that needs no library, and a library to preload that brings what it loads (libunwind) in a folder of its
# own, for containers and machines without these. The demangler is linked in, since one that is loaded would be of
# another libc.
MACHINE := $(shell uname -m)
BUNDLE := $(ARCHIVE)-$(MACHINE)
S := $(O)/static
UNWIND = $(shell $(CC) -print-file-name=libunwind-$(MACHINE).so.8)
$(S)/%.o: %.c $(O)/version
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DDLW_STATIC $(ALL_CFLAGS) -c $< -o $@
STATIC_OBJ := $(S)/report/command/symbols/dwarf.o
-include $(STATIC_OBJ:.o=.d)
$(S)/dlwatch: $(STATIC_OBJ) $(filter-out %/symbols/dwarf.o,$(COMMAND_OBJ))
	$(Q)$(CC) -static $(LDFLAGS) $^ -ldw -lelf -ljansson -lz -llzma -lbz2 -lm -lstdc++ -o $@
$(S)/libdlwatch.so: $(LIB_OBJ)
	$(Q)$(CC) $(LIB_LDFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/dlwatch' $^ -o $@

.PHONY: static
static: $(S)/dlwatch $(S)/libdlwatch.so
	$(Q)command -v patchelf >/dev/null || { echo 'static: needs patchelf' >&2; exit 1; }
	rm -rf $(S)/$(BUNDLE)
	install -d $(addprefix $(S)/$(BUNDLE)/,bin lib/dlwatch)
	install -m 755 -s $(S)/dlwatch $(S)/$(BUNDLE)/bin
	install -m 644 -s $(S)/libdlwatch.so $(S)/$(BUNDLE)/lib
	for library in $(UNWIND) $$(ldd $(UNWIND) | sed -n 's/.*=> \([^ ]*\/lib\(unwind\|lzma\)[^ ]*\) .*/\1/p'); do \
		install -m 644 $$library $(S)/$(BUNDLE)/lib/dlwatch && \
		patchelf --set-rpath '$$ORIGIN' $(S)/$(BUNDLE)/lib/dlwatch/$${library##*/} || exit; done
	cp -r interpose/include LICENSE .dist/NOTICES $(S)/$(BUNDLE)
	$(Q)tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='$(RELEASED) 00:00Z' -C $(S) -c $(BUNDLE) | gzip -9n >$(O)/$(BUNDLE).tar.gz
	@echo '$(O)/$(BUNDLE).tar.gz'

# Debian packages of the last commit, in $(O)/deb; what lintian has to say of them, where it is installed.
# The folder of this build is not theirs (they begin by clearing it).
# DEB_ARCH=arm64 makes them by a cross compiler (DEB_HOST_ARCH, which Debian's tools set, says the same).
DEB := $(O)/deb
DEB_ARCH ?= $(or $(DEB_HOST_ARCH),$(shell dpkg --print-architecture))
CROSS = $(filter-out $(shell dpkg --print-architecture),$(DEB_ARCH))
.PHONY: deb
deb: dist
	$(Q).dist/cross.sh '$(DEB_ARCH)' .dist/debian/control
	rm -rf $(DEB)/$(ARCHIVE) $(DEB)/*_$(DEB_ARCH).*
	mkdir -p $(DEB)
	tar -xzf $(O)/$(ARCHIVE).tar.gz -C $(DEB)
	cp -r $(DEB)/$(ARCHIVE)/.dist/debian $(DEB)/$(ARCHIVE)/debian
	printf 'dlwatch (%s) unstable; urgency=medium\n\n  * See NEWS.\n\n -- %s  %s\n' '$(VERSION)' \
		"$$(sed -n 's/^Maintainer: //p' .dist/debian/control)" "$$(LC_ALL=C date -u -R -d '$(RELEASED)')" \
		>$(DEB)/$(ARCHIVE)/debian/changelog
	cd $(DEB)/$(ARCHIVE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u O -u SAN dpkg-buildpackage -us -uc \
		$(if $(CROSS),-a$(CROSS) -Pcross$(comma)nocheck) $(DEB_ARGS)
	$(Q)! command -v lintian >/dev/null || \
		lintian --tag-display-limit 0 --fail-on error,warning $(DEB)/dlwatch_$(VERSION)_$(DEB_ARCH).changes
	@ls $(DEB)/*_$(VERSION)_$(DEB_ARCH).deb
