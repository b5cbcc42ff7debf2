"""What packages add to the command line: commands, and the flags of their categories.

The modules of packages are imported only where something is asked for that the command line does
not know itself, so that help comes at once and no package can break it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stratoperf.running import Registry


def warn_of_packages(registry: Registry) -> None:
    """Print a sentence on stderr for each part of a package that does not work."""
    from stratoperf.presentation.terminal.screen import Screen

    for warning in registry.warnings:
        Screen.stderr().paragraph(f"warning: {warning}", "yellow")


class CommandWithCategories(click.Command):
    """A command that has a flag for each category."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, with the flags of packages if one may be among them."""
        known = {name for parameter in self.params for name in parameter.opts}
        known |= {name for parameter in self.params for name in parameter.secondary_opts}
        words = args[: args.index("--")] if "--" in args else args
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        if asked - known or not asked.isdisjoint(ctx.help_option_names) or "-h" in words:
            self.params = [*self.params, *_flags(known)]
        return super().parse_args(ctx, args)


def _flags(known: set[str]) -> list[click.Option]:
    from stratoperf.running import REGISTRY, Category

    flags = []
    for category in REGISTRY.contributed(Category):
        name = f"--{category.name}"
        if name in known:
            from stratoperf.presentation.terminal.screen import Screen

            Screen.stderr().paragraph(
                f"warning: the category {category.name!r} of the package {category.package} has "
                f"no flag, because this command already has the option {name}; select it by "
                f"name: stratoperf run {category.name}",
                "yellow",
            )
            continue
        flags.append(
            click.Option([name, "category"], flag_value=category.name, help=category.description)
        )
    return flags


def further_commands(application: click.Command) -> dict[str, click.Command]:
    """Return the commands of packages by name, except those whose name is taken.

    Parameters
    ----------
    application
        The group with the commands of stratoperf itself.
    """
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.running import REGISTRY, FurtherCommand

    own = application.commands if isinstance(application, click.Group) else {}
    commands = {}
    for further in REGISTRY.contributed(FurtherCommand):
        if further.name in own:
            Screen.stderr().paragraph(
                f"warning: the command {further.name!r} of the package {further.package} is "
                "ignored, because stratoperf has a command with this name; rename it",
                "yellow",
            )
        else:
            commands[further.name] = further.command
    return commands
