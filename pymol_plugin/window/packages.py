"""The dialog that says which Python packages are missing, and installs them on a click."""

from __future__ import annotations

import sys

from pymol.Qt import QtCore, QtWidgets

from .. import installer

__all__ = ["PackagesDialog"]


class PackagesDialog(QtWidgets.QDialog):
    """Names the missing packages and their size; on a click, pip installs them into this PyMOL's own Python.

    Parameters
    ----------
    missing : list of str
    parent : QWidget, optional
    """

    def __init__(self, missing: list[str], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.missing = missing
        self.setWindowTitle("DynaProt")
        self.setMinimumWidth(520)
        self.message = QtWidgets.QLabel(
            f"DynaProt needs the Python packages <b>{', '.join(missing)}</b>, which this PyMOL does not have: about "
            f"{installer.megabytes(missing)} MB to download. Without them DynaProt cannot start.<br><br>"
            f"They will be installed into {sys.executable}."
        )
        self.message.setWordWrap(True)
        self.output = QtWidgets.QPlainTextEdit(readOnly=True)
        self.output.setPlaceholderText(" ".join(installer.pip_command(missing)))
        self.output.setMinimumHeight(140)
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, 1)
        self.install_button = QtWidgets.QPushButton("Install")
        self.later_button = QtWidgets.QPushButton("Not now")
        self.install_button.clicked.connect(self.install)
        self.later_button.clicked.connect(self.reject)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.later_button)
        buttons.addWidget(self.install_button)
        layout = QtWidgets.QVBoxLayout(self)
        for widget in (self.message, self.output, self.progress):
            layout.addWidget(widget)
        layout.addLayout(buttons)

        self.process = QtCore.QProcess(self)
        self.process.setProcessChannelMode(QtCore.QProcess.ProcessChannelMode.MergedChannels)
        self.process.readyReadStandardOutput.connect(self._read)
        self.process.finished.connect(self._ended)
        self.process.errorOccurred.connect(self._failed)

    def install(self) -> None:
        """Start pip; the window keeps responding meanwhile."""
        self.install_button.setEnabled(False)
        self.later_button.setText("Cancel")
        self.progress.setRange(0, 0)
        program, *arguments = installer.pip_command(self.missing)
        self.output.appendPlainText(" ".join([program, *arguments]))
        self.process.start(program, arguments)

    def reject(self) -> None:
        """Stop pip if it runs, and close."""
        if self.process.state() != QtCore.QProcess.ProcessState.NotRunning:
            self.process.kill()
            self.process.waitForFinished(3000)
        super().reject()

    def _read(self) -> None:
        text = bytes(self.process.readAllStandardOutput()).decode(errors="replace")
        self.output.appendPlainText(text.rstrip())

    def _ended(self, code: int, _status: object) -> None:
        if code == 0 and not installer.missing_packages():
            self.accept()
            return
        self._failed()

    def _failed(self, _error: object = None) -> None:
        self.progress.setRange(0, 1)
        self.install_button.setText("Try again")
        self.install_button.setEnabled(True)
        self.later_button.setText("Close")
        self.output.appendPlainText(
            "pip did not succeed. Its last lines above say why; the command can also be typed in a terminal."
        )
