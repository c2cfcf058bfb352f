; The installer: the program, its service, and a way to remove both.
; makensis -DVERSION=... -DSOURCE=FOLDER -DOUTPUT=FILE qdt-client.nsi
; Silently: SETUP /S [/D=FOLDER]; the exit status is 0, or 2 when the service could not be installed.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
ManifestDPIAware true
RequestExecutionLevel admin

Name "QDT client"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\QDT"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "QDT client"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Installs the QDT VPN client"
VIAddVersionKey LegalCopyright "MIT licence"

!include MUI2.nsh
!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_LICENSE "${SOURCE}/LICENSE.txt"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_SHOWREADME "$INSTDIR\README.txt"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\QDT"
Var config

Function .onInit
  SetRegView 64
  SetShellVarContext all
FunctionEnd

Function un.onInit
  SetRegView 64
  SetShellVarContext all
FunctionEnd

Section
  ; A program that runs cannot be written over, and each version installs the service its own way.
  ${If} ${FileExists} "$INSTDIR\qdt-client.exe"
    DetailPrint "Removing the service of an earlier version"
    nsExec::ExecToLog '"$INSTDIR\qdt-client.exe" service uninstall'
    Pop $0
  ${EndIf}

  SetOutPath "$INSTDIR"
  File /r "${SOURCE}/*"
  ${If} ${FileExists} "$EXEDIR\wintun.dll"
    CopyFiles /SILENT "$EXEDIR\wintun.dll" "$INSTDIR"
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKLM "${UNINSTALL}" DisplayName "QDT client"
  WriteRegStr HKLM "${UNINSTALL}" DisplayVersion "${VERSION}"
  WriteRegStr HKLM "${UNINSTALL}" InstallLocation "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKLM "${UNINSTALL}" NoModify 1
  WriteRegDWORD HKLM "${UNINSTALL}" NoRepair 1

  ; The user's own configuration is never written over.
  StrCpy $config "$APPDATA\QDT\client.yaml"
  StrCpy $1 "start"
  CreateDirectory "$APPDATA\QDT"
  ${IfNot} ${FileExists} "$config"
    ${If} ${FileExists} "$EXEDIR\client.yaml"
      CopyFiles /SILENT "$EXEDIR\client.yaml" "$config"
    ${Else}
      CopyFiles /SILENT "$INSTDIR\client.example.yaml" "$config"
      StrCpy $1 "edit"
    ${EndIf}
  ${EndIf}
  ${IfNot} ${FileExists} "$INSTDIR\wintun.dll"
    StrCpy $1 "wintun"
  ${EndIf}

  nsExec::ExecToStack '"$INSTDIR\qdt-client.exe" service install --config "$config"'
  Pop $0
  Pop $2
  DetailPrint "$2"
  ${If} $0 != 0
    SetErrorLevel 2
    MessageBox MB_ICONEXCLAMATION "The service was not installed.$\r$\n$\r$\n$2" /SD IDOK
  ${ElseIf} $1 == "wintun"
    MessageBox MB_ICONINFORMATION "wintun.dll is still missing: $INSTDIR\README.txt says where to get it.$\r$\n$\r$\nYour server and token go into $config." /SD IDOK
  ${ElseIf} $1 == "edit"
    MessageBox MB_ICONINFORMATION "Write your server and token into $config, as an administrator, then start the service: qdt-client.exe service start" /SD IDOK
  ${Else}
    DetailPrint "Starting the service"
    nsExec::ExecToLog '"$INSTDIR\qdt-client.exe" service start'
    Pop $0
    ${If} $0 != 0
      MessageBox MB_ICONEXCLAMATION "The service is installed, but did not start; the Event Viewer has its reasons. Windows will go on trying." /SD IDOK
    ${EndIf}
  ${EndIf}
SectionEnd

Section Uninstall
  nsExec::ExecToLog '"$INSTDIR\qdt-client.exe" service uninstall'
  Pop $0
  nsExec::ExecToLog '"$INSTDIR\qdt-client.exe" --cleanup'
  Pop $0
  Delete "$INSTDIR\qdt-client.exe"
  Delete "$INSTDIR\wintun.dll"
  Delete "$INSTDIR\client.example.yaml"
  Delete "$INSTDIR\README.txt"
  Delete "$INSTDIR\LICENSE.txt"
  RMDir /r "$INSTDIR\licences"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKLM "${UNINSTALL}"
SectionEnd
