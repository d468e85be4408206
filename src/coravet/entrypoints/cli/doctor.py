"""`coravet doctor`."""

import typer


def doctor() -> None:
    """Say what is wrong: settings, database, roles, migrations, Firebase, storage, pictures.

    One line for each part; ends with 1 when something is wrong, so that a deployment can stop there. Changes nothing.

    **Example**: `coravet doctor && coravet serve`
    """
    from coravet.entrypoints.cli.diagnosis import diagnose
    from coravet.settings import SettingsError, load

    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            print(f"wrong  settings   {problem}")
        print(
            "`coravet up` writes the settings of what it runs to `environment` in its data folder: source that first."
        )
        raise typer.Exit(1) from error
    print("ok     settings   Every setting can be used.")
    findings = diagnose(settings)
    for finding in findings:
        print(f"{'ok' if finding.ok else 'wrong':<6} {finding.part:<10} {finding.sentence}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
