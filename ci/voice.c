#include "ci/job.h"

#include "runner/base/chance.h"
#include "runner/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRORS_MOST 10 /* as many of a step are shown */

bool job_inside(void)
{
    const char *github = getenv("GITHUB_ACTIONS"), *run = getenv("RUN_MATRIX");

    return github && strcmp(github, "true") == 0 && !(run && *run);
}

/* Without chance there is no word: then what makes lines harmless has to do alone. */
void job_voice_open(struct job_voice *voice)
{
    *voice = (struct job_voice){.inside = job_inside()};
    if (voice->inside && !chance_hex(voice->token, JOB_TOKEN_BYTES))
        *voice->token = '\0';
}

/* What is called by the name of a variable, or of a file that is not there, has no place to be shown at. */
static void tell_error(const struct diag *diag, struct str folder, struct buf *out)
{
    struct str name = str_of(diag->at.file);
    bool is_file = diag->at.file && access(diag->at.file, F_OK) == 0;
    struct buf file = {0}, text = {0};

    if (is_file)
        annotation_file(&file, str_of(getenv("GITHUB_WORKSPACE")), folder, name);
    else if (name.len)
        buf_addf(&text, "%.*s: ", STR_ARG(name));
    buf_adds(&text, diag->text);
    annotation_add(out,
                   &(struct annotation){"error", buf_str(&file), is_file ? diag->at.line : 0,
                                        is_file ? diag->at.col : 0, str_of("run-matrix"), buf_str(&text)});
    buf_release(&file);
    buf_release(&text);
}

void job_tell_errors(const struct diags *diags, struct buf *out)
{
    char *folder = getcwd(NULL, 0);
    size_t told = 0;

    for (size_t i = 0; i < diags->count && told < ERRORS_MOST && job_inside(); i++)
        if (diags->list[i].severity == DIAG_ERROR) {
            tell_error(&diags->list[i], str_of(folder), out);
            told++;
        }
    free(folder);
}

void job_stop(struct job_voice *voice, struct buf *out)
{
    if (voice->stopped || !*voice->token)
        return;
    buf_addf(out, "::stop-commands::%s\n", voice->token);
    voice->stopped = true;
}

void job_resume(struct job_voice *voice, struct buf *out)
{
    if (!voice->stopped)
        return;
    buf_addf(out, "::%s::\n", voice->token);
    voice->stopped = false;
}

void job_group(struct job_voice *voice, const char *title, struct buf *out)
{
    if (!voice->inside || voice->grouped || voice->stopped)
        return;
    buf_addf(out, "::group::%s\n", title);
    voice->grouped = true;
}

void job_group_end(struct job_voice *voice, struct buf *out)
{
    if (!voice->grouped || voice->stopped)
        return;
    buf_adds(out, "::endgroup::\n");
    voice->grouped = false;
}

/* Who has died may have said more than we know of: a word that stops nothing is nothing but a line. */
void job_last_words(const struct job_voice *voice, struct buf *out)
{
    if (voice->inside && *voice->token)
        buf_addf(out, "\n::%s::\n::endgroup::\n", voice->token);
}
