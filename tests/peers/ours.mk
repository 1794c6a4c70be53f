# tests/peers/ours from the objects that the Makefile builds, with its flags and libraries:
#   make -f tests/peers/ours.mk BUILD=build ours      (from the root)
ours:
include Makefile
ours: $(BUILD)/tests/peers/ours
$(BUILD)/tests/peers/ours: $(BUILD)/tests/peers/ours.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
$(BUILD)/tests/peers/ours.o: INCLUDES += -I.
.PHONY: ours
