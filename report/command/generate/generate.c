#include "report/command/generate/generate.h"

#include "report/command/base/command.h"

#include <string.h>

int dlw_generate(const char *name, FILE *out)
{
    static const struct {
        const char *name;
        void (*generate)(FILE *out);
    } files[] = {{"dlwatch.1", dlw_generate_command_page},
                 {"libdlwatch.7", dlw_generate_library_page},
                 {"dlwatch.bash", dlw_generate_bash},
                 {"dlwatch.zsh", dlw_generate_zsh},
                 {"dlwatch.fish", dlw_generate_fish}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (strcmp(files[i].name, name) == 0) {
            files[i].generate(out);
            return DLW_STATUS_OK;
        }
    return dlw_usage_error(NULL, "nothing is generated under the name '%s'", name);
}
